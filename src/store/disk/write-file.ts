import { open, rename } from "node:fs/promises";
import { diskFault } from "./disk-fault.ts";
import type { TempSpace } from "./temp-space.ts";

export interface WriteFileOptions {
  /** Completes "Cannot …" in an error. */
  readonly attempt: string;
  /** Whether the bytes are on the disk, not only in the kernel, before the name appears. */
  readonly sync: boolean;
  /** Called with the written temporary file before it gets its name. */
  readonly mode?: number;
}

/** Writes a small file so that a reader, and a killed process, sees the old one or the new one, never a half. */
export async function writeFileWhole(
  temp: TempSpace,
  target: string,
  content: Uint8Array | string,
  { attempt, sync, mode = 0o644 }: WriteFileOptions,
): Promise<void> {
  try {
    const path = temp.path("file");
    const handle = await open(path, "wx", mode);
    try {
      await handle.writeFile(content);
      if (sync) await handle.datasync();
    } finally {
      await handle.close();
    }
    await rename(path, target);
  } catch (cause) {
    throw diskFault(attempt, target, cause);
  }
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
