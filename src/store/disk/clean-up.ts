import { readdirSync, statSync, unlinkSync } from "node:fs";
import type { StoreEnvironment } from "../environment.ts";

/** A download that nobody went on with for so long is given up. */
const MAX_PART_AGE_MS = 7 * 24 * 60 * 60 * 1000;

/**
 * Removes what dead processes left: their temporary folders on disk and in memory, their lock files, and beginnings of downloads that are too
 * old. Whatever can't be removed now is left to a later start; aborting stops between two files.
 */
export async function cleanUp(
  { paths, temp, memory, locks, machine }: StoreEnvironment,
  signal: AbortSignal,
): Promise<void> {
  // Secrets first.
  await memory.cleanUp(signal);
  for (const name of list(paths.locks)) {
    try {
      locks.removeIfFree(`${paths.locks}/${name}`);
    } catch {
      // Somebody else's, or not permitted.
    }
  }
  for (const name of list(paths.parts)) {
    const path = `${paths.parts}/${name}`;
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined || machine.now() - stats.mtimeMs < MAX_PART_AGE_MS) continue;
    const lease = locks.tryLock(`blob-${name.replace("-", ":")}`);
    try {
      if (lease !== undefined) unlinkSync(path);
    } catch {
      // Gone already, or not permitted.
    } finally {
      lease?.release();
    }
  }
  await temp.cleanUp(signal);
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
