import type { ClientRequest } from "node:http";
import type { Socket } from "node:net";
import type { FileBytes } from "../../oci/index.ts";
import { nowMs } from "../../util/now-ms.ts";
import { untilTaken } from "./drained.ts";

/** Bodies from this size on are worth it: to bind the system call takes 8 ms, and a megabyte sent so saves half a one. */
export const LEAST_FILE_BYTES = 16 * 1024 * 1024;
/** How long a call to the kernel should take: neither an end of the process nor a report of progress waits longer. */
const CALL_MS = 100;
/** What it is told to send: at first, and then as much as the server takes in that time, within bounds. */
const FIRST_CALL_BYTES = 1024 * 1024;
const LEAST_CALL_BYTES = 256 * 1024;
const MOST_CALL_BYTES = 16 * 1024 * 1024;
/** What the kernel may hold of that in the end: as much as Linux gives a socket for sending. */
const HELD_BYTES = 4 * 1024 * 1024;
/** What Node sends so that it tells when the socket takes more. */
const ASKING_BYTES = 16 * 1024;
/** What Node sends where the kernel does not: nothing is known of the socket yet, or it took nothing. */
const READ_BYTES = 1024 * 1024;

/**
 * Sends a request's body out of a file, from kernel to kernel: with a fraction of the processor time that reading and writing
 * takes, which a server on the same machine can use. The kernel gets large pieces as long as the server takes them; when
 * it does not, Node sends a small one, because it knows without a thread when a socket takes more.
 * @param isWanted false when the rest is not, because there is an answer
 * @param windowMs how long nothing may move; see `drained`
 */
export async function sendFile(
  outgoing: ClientRequest,
  file: FileBytes,
  { isWanted, windowMs }: { readonly isWanted: () => boolean; readonly windowMs: number },
): Promise<void> {
  if (!isWanted()) return;
  // What Node holds it sees going, but of what the kernel holds nothing until a third is gone.
  outgoing.setTimeout(2 * windowMs);
  let sent = 0;
  let callBytes = FIRST_CALL_BYTES;
  while (file.left > 0) {
    const begunMs = nowMs();
    const piece = await file.read(sent > 0 ? ASKING_BYTES : READ_BYTES);
    if (!isWanted()) return;
    // The kernel must have all that Node has, the head too, or what it is told to send would come before.
    await untilTaken(outgoing, piece, { ahead: Math.min(sent, HELD_BYTES), windowMs });
    if (!isWanted()) return;
    sent = await file.send(numberOf(outgoing.socket), callBytes);
    const perMs = (piece.byteLength + sent) / (nowMs() - begunMs);
    const most = Math.min(2 * callBytes, MOST_CALL_BYTES);
    callBytes = Math.round(Math.max(LEAST_CALL_BYTES, Math.min(most, CALL_MS * perMs)));
  }
}

/**
 * A socket's file descriptor, which Node has but does not document. Where it is not found, it is one that no socket has:
 * the kernel takes nothing for that, and everything is read and written.
 */
function numberOf(socket: Socket | null): number {
  const fd = (socket as { readonly _handle?: { readonly fd?: unknown } | null } | null)?._handle?.fd;
  return typeof fd === "number" && fd >= 0 ? fd : -1;
}
