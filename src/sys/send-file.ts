import { lazily } from "../util/lazily.ts";
import { type ForeignFunction, libc } from "./libc.ts";

/**
 * Puts bytes of an open file on a socket that does not wait, from kernel to kernel (sendfile(2)). What is not in the page
 * cache is waited for.
 * @returns how many the socket took: 0 when it is full, at the end of the file, and when it failed, because an ordinary
 *   write to the socket then tells why in the ordinary way; also where the C library cannot be called
 */
export type SendFile = (socket: number, file: number, position: number, maxBytes: number) => number;

export const sendFile: SendFile = createSendFile(() => libc().sendfile);

/** @param bind finds the C function at the first call; may throw, since nobody needs koffi only to push */
export function createSendFile(bind: () => ForeignFunction): SendFile {
  const call = lazily((): ForeignFunction => {
    try {
      return bind();
    } catch {
      return () => -1;
    }
  });
  return (socket, file, position, maxBytes) => {
    const offset = new Uint8Array(BigInt64Array.of(BigInt(position)).buffer);
    return Math.max(0, call()(socket, file, offset, maxBytes));
  };
}
