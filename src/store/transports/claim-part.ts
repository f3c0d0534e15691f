import { randomUUID } from "node:crypto";
import { closeSync, constants, fstatSync, lstatSync, openSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { bindFlock } from "../../sys/flock.ts";

/** Where the bytes of a blob gather until they are the blob. */
export interface PartClaim {
  readonly path: string;
  /** Whether whoever writes the blob next looks here, and goes on with what is there. */
  readonly isKept: boolean;
  release(): void;
}

/**
 * Gives the part file beside `target` to one process at a time, however the one before it ended. Who comes while somebody
 * is at work on it, or where the file system has no locks, gets a place of its own that nobody will look at.
 */
export function claimPart(target: string): PartClaim {
  const path = join(dirname(target), `.${basename(target)}.part`);
  const fd = openLocked(path);
  if (fd !== undefined) return { path, isKept: true, release: () => closeSync(fd) };
  return { path: join(dirname(target), `.${randomUUID()}`), isKept: false, release: () => {} };
}

function openLocked(path: string): number | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o644);
    if (bindFlock().tryLock(fd, "exclusive") && isStill(fd, path)) return fd;
  } catch {
    // Whatever keeps us from this file will say so when there is no other.
  }
  if (fd !== undefined) closeSync(fd);
  return undefined;
}

/** Its holder may have made it the blob between our opening and our locking. */
function isStill(fd: number, path: string): boolean {
  const open = fstatSync(fd);
  const named = lstatSync(path, { throwIfNoEntry: false });
  return named !== undefined && named.ino === open.ino && named.dev === open.dev;
}
