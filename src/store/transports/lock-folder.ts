import { closeSync, constants, openSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { bindFlock } from "../../sys/flock.ts";

const RECHECK_MS = 10;
/** Far longer than anybody holds it who is not stopped. */
const PATIENCE_MS = 10_000;

/**
 * Holds a folder against others that ask for it here, while `work` runs. Where the file system has no locks, or the holder does
 * nothing for ten seconds, it runs without.
 */
export async function whileLocked<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await waitForLock(fd);
    return await work();
  } finally {
    closeSync(fd);
  }
}

async function waitForLock(fd: number): Promise<void> {
  try {
    const { tryLock } = bindFlock();
    for (let waited = 0; !tryLock(fd, "exclusive") && waited < PATIENCE_MS; waited += RECHECK_MS)
      await sleep(RECHECK_MS);
  } catch {
    // A file system without locks: others are rare.
  }
}
