import { chmodSync, chownSync, closeSync, mkdirSync, openSync, utimesSync } from "node:fs";
import { join } from "node:path";
import type { Stub } from "./plan-stubs.ts";

/** Makes the planned entries below `folder`, which exists and is empty. */
export function writeStubLayer(folder: string, stubs: readonly Stub[]): void {
  for (const { path, kind, like, mode } of stubs) {
    const full = join(folder, path);
    if (kind === "file") {
      closeSync(openSync(full, "wx", 0o644));
      chmodSync(full, 0o644);
      continue;
    }
    if (path !== "") mkdirSync(full);
    if (like !== undefined) chownSync(full, like.uid, like.gid);
    // After chown, which may drop the set-id bits; and whatever our umask is.
    chmodSync(full, like === undefined ? (mode ?? 0o755) : like.mode & 0o7777);
  }
  // Last, from the leaves up, because making an entry changes its folder's times.
  for (const { path, like } of stubs.toReversed()) {
    if (like === undefined) continue;
    utimesSync(join(folder, path), toSeconds(like.atimeMs), toSeconds(like.mtimeMs));
  }
}

/** Rounded down to microseconds: a double holds no more, and rounding up might reach the next second. */
function toSeconds(milliseconds: number): number {
  return Math.floor(milliseconds * 1000) / 1e6;
}
