import { check, libc } from "./libc.ts";
import { cString } from "./path.ts";

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
/** In tv_nsec: leave this time alone. */
const UTIME_OMIT = 0x3ffffffen;

/**
 * Sets the modification time of `path` (bytes as latin1; a symlink's own) to a whole second, also before 1970, which
 * Node's lutimes gets wrong by a fraction. The access time stays.
 */
export function setMtime(path: string, seconds: number): void {
  check(
    libc().utimensat(AT_FDCWD, cString(path), encodeTimes(seconds), AT_SYMLINK_NOFOLLOW),
    "utimensat",
    path,
  );
}

/** The same for an open file; `path` is for the message. */
export function setFdMtime(fd: number, seconds: number, path?: string): void {
  check(libc().futimens(fd, encodeTimes(seconds)), "futimens", path);
}

/** Two `struct timespec` of a 64-bit machine. */
function encodeTimes(seconds: number): Uint8Array {
  const times = new BigInt64Array(4);
  times[1] = UTIME_OMIT;
  times[2] = BigInt(seconds);
  return new Uint8Array(times.buffer);
}
