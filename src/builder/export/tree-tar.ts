import type { ByteString } from "../../oci/index.ts";
import { type MergedTree, type SourcedEntry, toEntry, writeLayer } from "../../store/layers/index.ts";
import { Xattrs } from "../../sys/index.ts";
import type { WritableTarget } from "../types.ts";
import type { ExportedTree } from "./exported-tree.ts";
import { pathsOf } from "./tree-paths.ts";

/** Writes the files of trees as one tar, each below its folder, with owners, modes and file capabilities. */
export async function writeTreeTar(
  trees: readonly ExportedTree[],
  target: WritableTarget,
  signal: AbortSignal,
): Promise<void> {
  await writeLayer(entriesOf(trees), { onTarChunk: (chunk) => target.write(chunk) }, { signal });
}

function* entriesOf(trees: readonly ExportedTree[]): Generator<SourcedEntry> {
  for (const { tree, folder, epochSeconds } of trees) {
    if (folder !== "") yield folderEntry(folder, epochSeconds ?? 0);
    for (const entry of treeEntries(tree)) {
      const prefix = folder === "" ? "" : `${folder}/`;
      yield {
        ...entry,
        path: `${prefix}${entry.path}` as ByteString,
        ...(entry.kind === "hardlink" ? { link: `${prefix}${entry.link}` as ByteString } : {}),
        ...(epochSeconds === undefined ? {} : { mtimeSeconds: epochSeconds }),
      };
    }
  }
}

/** Everything in a tree as layer entries, a folder before what is in it. */
function* treeEntries(tree: MergedTree): Generator<SourcedEntry> {
  const xattrs = new Xattrs();
  const firstNames = new Map<string, ByteString>();
  for (const path of pathsOf(tree)) {
    const node = tree.lstat(path);
    if (node === undefined || node.kind === "socket") continue;
    const first = node.hardlinkId === undefined ? undefined : firstNames.get(node.hardlinkId);
    if (first !== undefined && node.kind === "file") {
      const { content: _content, ...entry } = toEntry(path, node, undefined);
      yield { ...entry, kind: "hardlink", size: 0, link: first };
      continue;
    }
    if (node.hardlinkId !== undefined) firstNames.set(node.hardlinkId, path);
    const capability = node.kind === "file" ? xattrs.get(node.hostPath, "security.capability") : undefined;
    yield toEntry(
      path,
      node,
      capability === undefined ? undefined : new Map([["security.capability", capability]]),
    );
  }
}

function folderEntry(path: ByteString, mtimeSeconds: number): SourcedEntry {
  return { path, kind: "dir", mode: 0o755, uid: 0, gid: 0, mtimeSeconds, size: 0 };
}
