import { constants } from "node:fs";
import pLimit from "p-limit";
import { lazily } from "../util/lazily.ts";
import { type Libc, libc } from "./libc.ts";

/**
 * Puts bytes of an open file on a socket, from kernel to kernel (sendfile(2)). What is not in the page cache, and a full
 * socket, are waited for on another thread.
 * @param socket one of Node's, to which nothing else is written meanwhile. It may be closed meanwhile.
 * @returns how many bytes the socket took before it stood still: 0 also at the end of the file, and when the socket failed,
 *   because an ordinary write to it then tells why in the ordinary way; and where the C library cannot be called
 */
export type SendFile = (socket: number, file: number, position: number, maxBytes: number) => Promise<number>;

/** Half of the threads that Node has for files, name look-ups and all such: a turn keeps one from them. */
const TURNS_AT_ONCE = 2;
/** A socket that takes nothing for so long is left to Node, which can wait for thousands. */
const FULL_FOR_MICROSECONDS = 20_000;
/** What Node may lose when it reads a socket once more than there is something to read. */
const EMPTY_FOR_MICROSECONDS = 1000;

const F_GETFL = 3;
const F_SETFL = 4;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SO_SNDTIMEO = 21;

type Calls = Pick<Libc, "close" | "dup" | "fcntl" | "sendfile" | "setsockopt">;

export const sendFile: SendFile = createSendFile(libc);

/** @param bind finds the C functions at the first call; may throw, since nobody needs koffi only to push */
export function createSendFile(bind: () => Calls): SendFile {
  const turns = pLimit(TURNS_AT_ONCE);
  const bound = lazily((): { readonly calls?: Calls } => {
    try {
      return { calls: bind() };
    } catch {
      return {};
    }
  });
  return async (socket, file, position, maxBytes) => {
    const { calls } = bound();
    if (calls === undefined) return 0;
    // Node may close its own, and give the number to another connection while this one waits for its turn.
    const own = calls.dup(socket);
    if (own < 0) return 0;
    try {
      return await turns(() => takeTurn(calls, own, { file, position, maxBytes }));
    } finally {
      calls.close(own);
    }
  };
}

/**
 * Node's sockets don't wait; this one does for a turn, and no longer than Node itself can bear: it may read an answer
 * meanwhile.
 */
async function takeTurn(
  { fcntl, sendfile, setsockopt }: Calls,
  socket: number,
  {
    file,
    position,
    maxBytes,
  }: { readonly file: number; readonly position: number; readonly maxBytes: number },
): Promise<number> {
  const limit = (name: number, microseconds: number): boolean => {
    const time = new Uint8Array(BigInt64Array.of(0n, BigInt(microseconds)).buffer);
    return setsockopt(socket, SOL_SOCKET, name, time, time.byteLength) === 0;
  };
  const flags = fcntl(socket, F_GETFL, 0);
  if (flags < 0) return 0;
  if (!limit(SO_RCVTIMEO, EMPTY_FOR_MICROSECONDS) || !limit(SO_SNDTIMEO, FULL_FOR_MICROSECONDS)) return 0;
  const offset = BigInt64Array.of(BigInt(position));
  fcntl(socket, F_SETFL, flags & ~constants.O_NONBLOCK);
  try {
    return await new Promise((resolve) => {
      const sent = (): void => resolve(Number(offset[0]) - position);
      sendfile.async(socket, file, new Uint8Array(offset.buffer), maxBytes, sent);
    });
  } finally {
    fcntl(socket, F_SETFL, flags);
  }
}
