import { type ByteString, fromByteString, toByteString } from "../../oci/layer-entry.ts";
import { compileGlob, hasWildcard } from "./glob.ts";
import { baseName, cleanPath, joinPath, parentPath, ROOT } from "./path.ts";
import type { SelectOptions } from "./selection.ts";
import type { FileTree } from "./types.ts";

/*
 * Docker's client sends of a folder on this machine only what the build's steps ask for: what matches one of their source
 * paths, what the symlinks on these lead to, and the folders that this lies in. A folder with nothing of that in it is not
 * there for the build. https://github.com/tonistiigi/fsutil (FollowLinks)
 */

/**
 * Whether a folder of a context reaches a build.
 * @param paths the sources of all steps of the build that take something of this context; they may hold wildcards
 */
export function isSent(
  tree: FileTree,
  folder: ByteString,
  { paths, createFilter }: { readonly paths: readonly string[] } & Pick<SelectOptions, "createFilter">,
): boolean {
  // In this order, since of several paths through one link only the first is followed.
  const cleaned = paths.map((path) => cleanPath(toByteString(path))).sort();
  if (folder === ROOT || cleaned.includes(ROOT)) return true;
  const filter = createFilter(followLinks(tree, cleaned).map(fromByteString));
  let state: unknown;
  let path = ROOT;
  for (const part of folder.split("/")) {
    path = joinPath(path, part as ByteString);
    const match = filter.match(fromByteString(path), state);
    if (match.matched) return true;
    state = match.state;
  }
  const hasMatch = (below: ByteString, above: unknown): boolean =>
    tree.readdir(below).some((name) => {
      const inside = joinPath(below, name);
      const match = filter.match(fromByteString(inside), above);
      return match.matched || (tree.lstat(inside)?.kind === "dir" && hasMatch(inside, match.state));
    });
  return hasMatch(folder, state);
}

/** The paths, with those that the symlinks on them lead to. A symlink behind a wildcard is followed only at its place. */
function followLinks(tree: FileTree, paths: readonly ByteString[]): readonly ByteString[] {
  const resolved = new Set<ByteString>();
  const append = (path: ByteString): void => {
    const parts = cleanPath(path).split("/") as ByteString[];
    let current = ROOT;
    for (const [index, part] of parts.entries()) {
      current = joinPath(current, part);
      const targets = readLinks(tree, current);
      const isLast = index === parts.length - 1;
      if (!isLast && targets.length === 0) continue;
      if (resolved.has(current)) return;
      resolved.add(current);
      const rest = parts.slice(index + 1).join("/") as ByteString;
      for (const target of targets) append(joinPath(target, rest));
      return;
    }
  };
  for (const path of paths) append(path);
  return [...resolved];
}

/** Where a symlink leads, or all those that match a wildcard in the last part. */
function readLinks(tree: FileTree, path: ByteString): readonly ByteString[] {
  const folder = parentPath(path);
  const last = fromByteString(baseName(path));
  if (!hasWildcard(last)) return readLink(tree, path);
  const pattern = compileGlob(last);
  return tree
    .readdir(folder)
    .filter((name) => pattern.test(fromByteString(name)))
    .flatMap((name) => readLink(tree, joinPath(folder, name)));
}

function readLink(tree: FileTree, path: ByteString): readonly ByteString[] {
  const { link } = tree.lstat(path) ?? {};
  if (link === undefined) return [];
  return [link.startsWith("/") ? link : cleanPath(`${parentPath(path)}/${link}` as ByteString)];
}
