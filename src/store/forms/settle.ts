import { closeSync, openSync, statSync } from "node:fs";
import type { Digest } from "../../oci/digest.ts";
import type { FlockCalls } from "../../sys/flock.ts";
import type { StoreEnvironment } from "../environment.ts";
import type { LayerFolders } from "./layer-folders.ts";
import type { FormState, LayerRecord } from "./layer-record.ts";

/** By then the kernel has written a file out by itself (30 s and a round of 5 s), so that syncing has little to wait for. */
const MIN_AGE_MS = 60_000;

/** With more than this waiting to be written (by whomever) the sync would take long: a later run does it. */
const MAX_DIRTY_KIB = 64 * 1024;

/**
 * Notes that layers written a while ago are on the disk, so that the next run of the kernel need not check them. One
 * syncfs(2) for all; cheap because of their age.
 */
export async function settleLayers(
  diffIds: readonly Digest[],
  { env, folders, calls }: { env: StoreEnvironment; folders: LayerFolders; calls: () => FlockCalls },
): Promise<void> {
  const { machine } = env;
  const isDue = (diffId: Digest): boolean => isOld(`${folders.path(diffId)}/layer.json`, machine.now());
  const due = diffIds.filter(isDue);
  if (due.length === 0 || machine.readDirtyKib() > MAX_DIRTY_KIB) return;
  const fd = openSync(env.paths.root, "r");
  try {
    await calls().syncFileSystem(fd);
  } finally {
    closeSync(fd);
  }
  for (const diffId of due) {
    const lease = env.locks.tryLock(folders.lockName(diffId));
    if (lease === undefined) continue; // somebody is changing it; the next run sees to it
    try {
      // Only what was there before the sync began.
      if (folders.read(diffId) !== undefined && isDue(diffId)) {
        await folders.updateLocked(diffId, (record) => settled(record, machine.bootId));
      }
    } finally {
      lease.release();
    }
  }
}

function settled(record: LayerRecord, bootId: string): LayerRecord {
  const settle = <T extends FormState>(form: T): T => {
    if (form.writtenInBoot !== bootId) return form;
    const { writtenInBoot: _, ...rest } = form;
    return rest as T;
  };
  return {
    ...record,
    ...(record.snapshot === undefined ? {} : { snapshot: settle(record.snapshot) }),
    ...(record.tar === undefined ? {} : { tar: settle(record.tar) }),
  };
}

function isOld(path: string, now: number): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats !== undefined && now - stats.mtimeMs > MIN_AGE_MS;
}
