import { constants, type Dirent } from "node:fs";
import { type FileHandle, lstat, open, readdir, rename, rmdir, unlink } from "node:fs/promises";
import { isErrno } from "./disk-fault.ts";

/** Entries of one folder removed at once: enough to keep Node's four file threads busy. */
const BATCH = 32;

/** Folders open at once on one branch; below that depth a folder is moved up first, so that no depth exhausts us. */
const MAX_OPEN = 64;

/**
 * Removes a file or a whole tree. Works on names that are no UTF-8, which `fs.rm` misses. No link is followed, even
 * if somebody swaps a folder for a link meanwhile (a container that outlived its build could): every step goes
 * through an open folder, not through the path.
 * Absent already is fine. Aborting stops between two files. What the file system refuses is thrown after the rest has been removed.
 */
export async function removeTree(
  path: string,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const failures: unknown[] = [];
  const moved = { count: 0, root: undefined };
  await removeEntry(Buffer.from(path), { depth: 0, moved, failures, signal });
  signal?.throwIfAborted();
  if (failures.length > 0) throw failures[0];
}

interface Walk {
  readonly depth: number;
  /** Where folders too deep are moved to: the top folder, by its open handle. */
  readonly moved: { count: number; root: string | undefined };
  readonly failures: unknown[];
  readonly signal: AbortSignal | undefined;
}

async function removeEntry(path: Buffer, walk: Walk): Promise<void> {
  try {
    const stat = await lstat(path);
    if (stat.isDirectory()) await removeFolder(path, walk);
    else await unlink(path);
  } catch (error) {
    if (!isErrno(error, "ENOENT")) walk.failures.push(error);
  }
}

async function removeFolder(path: Buffer, walk: Walk): Promise<void> {
  if (walk.depth >= MAX_OPEN && walk.moved.root !== undefined) {
    // Its new place is emptied by the top folder's next round.
    await rename(path, `${walk.moved.root}/.deep-${walk.moved.count++}-${process.pid}`);
    return;
  }
  const handle = await openFolder(path);
  try {
    const here = `/proc/self/fd/${handle.fd}`;
    if (walk.moved.root === undefined) walk.moved.root = here;
    for (;;) {
      const failuresBefore = walk.failures.length;
      const entries = await readdir(here, { encoding: "buffer", withFileTypes: true });
      if (entries.length === 0) break;
      const folders = entries.filter((entry) => entry.isDirectory());
      const others = entries.filter((entry) => !entry.isDirectory());
      for (let i = 0; i < others.length; i += BATCH) {
        walk.signal?.throwIfAborted();
        await Promise.all(others.slice(i, i + BATCH).map((entry) => removeChild(here, entry, walk)));
      }
      // One after the other: side by side the open folders would multiply with each level.
      for (const entry of folders) await removeChild(here, entry, walk);
      // Again only where something may have been moved in: otherwise a refusal would repeat for ever.
      if (walk.depth > 0 || walk.failures.length > failuresBefore) break;
    }
  } finally {
    await handle.close();
  }
  await rmdir(path);
}

async function removeChild(folder: string, entry: Dirent<Buffer>, walk: Walk): Promise<void> {
  const path = Buffer.concat([Buffer.from(`${folder}/`), entry.name]);
  try {
    if (entry.isDirectory()) await removeFolder(path, { ...walk, depth: walk.depth + 1 });
    else await unlink(path);
  } catch (error) {
    if (!isErrno(error, "ENOENT")) walk.failures.push(error);
  }
}

async function openFolder(path: Buffer): Promise<FileHandle> {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  return await open(path, flags);
}
