import { libc } from "./libc.ts";

/**
 * Puts bytes of an open file on a socket that does not wait, from kernel to kernel (sendfile(2)). What is not in the page
 * cache is waited for.
 * @returns how many the socket took: 0 when it is full, at the end of the file, and when it failed, because an ordinary
 *   write to the socket then tells why in the ordinary way
 */
export function sendFile(socket: number, file: number, position: number, maxBytes: number): number {
  const offset = new Uint8Array(BigInt64Array.of(BigInt(position)).buffer);
  return Math.max(0, libc().sendfile(socket, file, offset, maxBytes));
}
