import { isAscii } from "../util/is-ascii.ts";

/**
 * A path of bytes (one latin1 character each) for Node's fs: as it is when it is ASCII, which Node converts
 * fastest, as a Buffer otherwise.
 */
export function fsPath(path: string): string | Buffer {
  return isAscii(path) ? path : Buffer.from(path, "latin1");
}

/** For C: the bytes and a NUL. @throws {RangeError} when the path itself has a NUL. */
export function cString(bytes: string): Buffer {
  if (bytes.includes("\0")) throw new RangeError("A path or name has a NUL byte");
  return Buffer.from(`${bytes}\0`, "latin1");
}
