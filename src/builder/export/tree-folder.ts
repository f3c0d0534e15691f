import { chmod, copyFile, link, lstat, mkdir, rm, symlink, utimes } from "node:fs/promises";
import type { LayerNode } from "../../store/layers/index.ts";
import type { ExportedTree } from "./exported-tree.ts";
import { pathsOf } from "./tree-paths.ts";

/** Writes the files of a tree into a folder, as whoever runs the build. */
export async function writeTreeFolder(
  { tree, epochSeconds }: ExportedTree,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const root = Buffer.from(folder).toString("latin1");
  const folders: { readonly path: Buffer; readonly mode: number; readonly time: number }[] = [];
  const firstNames = new Map<string, Buffer>();
  const timeOf = (node: LayerNode): number => epochSeconds ?? node.mtimeSeconds;
  for (const path of pathsOf(tree)) {
    signal.throwIfAborted();
    const node = tree.lstat(path);
    if (node === undefined) continue;
    const target = Buffer.from(`${root}/${path}`, "latin1");
    const existing = await lstat(target).catch(() => undefined);
    if (existing !== undefined && !(existing.isDirectory() && node.kind === "dir"))
      await rm(target, { recursive: true, force: true });
    const first = node.hardlinkId === undefined ? undefined : firstNames.get(node.hardlinkId);
    if (first !== undefined) {
      await link(first, target);
      continue;
    }
    if (node.hardlinkId !== undefined) firstNames.set(node.hardlinkId, target);
    if (node.kind === "dir") {
      await mkdir(target, { recursive: true });
      folders.push({ path: target, mode: node.mode, time: timeOf(node) });
    } else if (node.kind === "symlink") {
      await symlink(Buffer.from(node.link ?? "", "latin1"), target);
    } else if (node.kind === "file") {
      await copyFile(Buffer.from(node.hostPath, "latin1"), target);
      await chmod(target, node.mode);
      await utimes(target, timeOf(node), timeOf(node));
    }
    // Devices, FIFOs and sockets mean nothing in a folder of somebody's.
  }
  for (const { path, mode, time } of folders.reverse()) {
    await chmod(path, mode);
    await utimes(path, time, time);
  }
}
