import { open, rename, unlink } from "node:fs/promises";
import { onDisk } from "./disk-fault.ts";
import type { TempSpace } from "./temp-space.ts";

export interface WriteFileOptions {
  /** Completes "Cannot …" in an error. */
  readonly attempt: string;
  /** Whether the bytes are on the disk, not only in the kernel, before the name appears. */
  readonly sync: boolean;
}

/** Writes a small file so that a reader, and a killed process, sees the old one or the new one, never a half. */
export async function writeFileWhole(
  temp: TempSpace,
  target: string,
  content: Uint8Array | string,
  options: WriteFileOptions,
): Promise<void> {
  await (await stageFile(temp, target, content, options)).show();
}

/** A file that is written but has not got its name yet. */
export interface StagedFile {
  /** Gives it its name, taking the place of what had it. */
  show(): Promise<void>;
  /** Removes it instead. */
  discard(): Promise<void>;
}

/** The first half of `writeFileWhole`, for several files that should change at nearly one moment or not at all. */
export async function stageFile(
  temp: TempSpace,
  target: string,
  content: Uint8Array | string,
  { attempt, sync }: WriteFileOptions,
): Promise<StagedFile> {
  return await onDisk(attempt, target, async () => {
    const path = temp.path("file");
    const discard = (): Promise<void> => unlink(path).catch(() => undefined); // then the folder goes as a whole
    try {
      await using handle = await open(path, "wx", 0o644);
      await handle.writeFile(content);
      if (sync) await handle.datasync();
    } catch (error) {
      await discard();
      throw error;
    }
    return { show: () => onDisk(attempt, target, () => rename(path, target)), discard };
  });
}

/** Makes the names in a folder survive a loss of power. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
