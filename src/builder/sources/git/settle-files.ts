import { lutimes, readdir, rm } from "node:fs/promises";

/**
 * Goes through a tree that git wrote: removes the `.git` files of submodules, whose repositories are elsewhere and
 * do not stay, and gives everything one time, so that the same commit makes the same layer everywhere. Names are
 * bytes.
 * @param mtimeSeconds the times stay as they are when absent
 */
export async function settleFiles(
  root: string,
  {
    mtimeSeconds,
    removesGitLinks,
  }: { readonly mtimeSeconds: number | undefined; readonly removesGitLinks: boolean },
): Promise<void> {
  const settle = async (folder: Buffer): Promise<void> => {
    for (const entry of await readdir(folder, { withFileTypes: true, encoding: "buffer" })) {
      const path = Buffer.concat([folder, Buffer.from("/"), entry.name]);
      if (entry.isDirectory()) await settle(path);
      // Git tracks nothing of this name: it can only be a submodule's.
      else if (removesGitLinks && entry.name.toString("latin1") === ".git") await rm(path);
      else await touch(path);
    }
    await touch(folder);
  };
  const touch = async (path: Buffer): Promise<void> => {
    if (mtimeSeconds !== undefined) await lutimes(path, mtimeSeconds, mtimeSeconds);
  };
  await settle(Buffer.from(root));
}
