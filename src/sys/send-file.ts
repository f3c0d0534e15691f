import { constants } from "node:fs";
import { lazily } from "../util/lazily.ts";
import { type Libc, libc } from "./libc.ts";

/**
 * Puts bytes of an open file on a socket, from kernel to kernel (sendfile(2)), on another thread: what is not in the page cache
 * is waited for, and as far as there are threads for it a full socket is too.
 * @param socket one of Node's, to which nothing else is written meanwhile. It may be closed meanwhile.
 * @returns how many bytes the socket took before it was full, or stood still: 0 also at the end of the file, and when the
 *   socket failed, because an ordinary write to it then tells why; and where the C library cannot be called
 */
export type SendFile = (socket: number, file: number, position: number, maxBytes: number) => Promise<number>;

/** Of the four threads that Node has for files, compression, name look-ups and all such, as long as nobody says otherwise. */
const WAITING_AT_ONCE = 3;
/** A socket that takes nothing for so long is left to Node, which can wait for thousands. */
const FULL_FOR_MICROSECONDS = 20_000;
/** What Node may lose when it reads a socket once more than there is something to read; the kernel makes a tick of it. */
const EMPTY_FOR_MICROSECONDS = 1000;

const F_GETFL = 3;
const F_SETFL = 4;
const F_DUPFD_CLOEXEC = 1030;
const SOL_SOCKET = 1;
// Those with 64 bits on every machine, from Linux 5.1 on.
const SO_RCVTIMEO_NEW = 66;
const SO_SNDTIMEO_NEW = 67;

type Calls = Pick<Libc, "close" | "fcntl" | "sendfile" | "setsockopt">;

export const sendFile: SendFile = createSendFile(libc);

/** @param bind finds the C functions at the first call; may throw, since nobody needs koffi only to push */
export function createSendFile(bind: () => Calls): SendFile {
  const bound = lazily((): { readonly calls?: Calls } => {
    try {
      return { calls: bind() };
    } catch {
      return {};
    }
  });
  let waiting = 0;
  return async (socket, file, position, maxBytes) => {
    const { calls } = bound();
    if (calls === undefined) return 0;
    const { close, fcntl, sendfile } = calls;
    // Node may close its own meanwhile, and give the number to another connection.
    const own = fcntl(socket, F_DUPFD_CLOEXEC, 0);
    if (own < 0) return 0;
    const flags = fcntl(own, F_GETFL, 0) | constants.O_NONBLOCK;
    const waits = waiting < WAITING_AT_ONCE && canWait(calls, own);
    const offset = BigInt64Array.of(BigInt(position));
    if (waits) {
      waiting++;
      fcntl(own, F_SETFL, flags & ~constants.O_NONBLOCK);
    }
    try {
      return await new Promise((resolve) => {
        const done = (): void => resolve(Number(offset[0]) - position);
        sendfile.async(own, file, new Uint8Array(offset.buffer), maxBytes, done);
      });
    } finally {
      if (waits) {
        waiting--;
        fcntl(own, F_SETFL, flags);
      }
      close(own);
    }
  };
}

/** Sees to it that a socket, once it waits, does not do so for ever: Node may read an answer from it meanwhile. */
function canWait({ setsockopt }: Calls, socket: number): boolean {
  const limit = (name: number, microseconds: number): boolean => {
    const time = new Uint8Array(BigInt64Array.of(0n, BigInt(microseconds)).buffer);
    return setsockopt(socket, SOL_SOCKET, name, time, time.byteLength) === 0;
  };
  return limit(SO_RCVTIMEO_NEW, EMPTY_FOR_MICROSECONDS) && limit(SO_SNDTIMEO_NEW, FULL_FOR_MICROSECONDS);
}
