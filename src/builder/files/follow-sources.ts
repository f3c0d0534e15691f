import { type ByteString, fromByteString, toByteString } from "../../oci/layer-entry.ts";
import { missingSource } from "./missing-source.ts";
import { ROOT } from "./path.ts";
import { resolveInTree } from "./resolve-in-tree.ts";
import type { CopySource } from "./selection.ts";
import type { FileTree } from "./types.ts";

/**
 * The part of a tree that a path needs to lead somewhere: what it names, with the folders it lies in, and every symlink
 * on the way. `path` is a plain name; wildcards in it are characters.
 *
 * @throws {FilesError} SOURCE_NOT_FOUND, TOO_MANY_LINKS
 */
export function followSources(tree: FileTree, treeName: string, path: string): readonly CopySource[] {
  const paths = new Set<ByteString>();
  const end = resolveInTree(tree, toByteString(path), {
    followLast: true,
    onLink: (link) => paths.add(link),
  });
  if (tree.lstat(end) === undefined) throw missingSource({ tree, treeName }, toByteString(path));
  paths.add(end);
  return [...paths].map((part) => ({
    kind: "tree",
    tree,
    treeName,
    path: "/",
    parentsPattern: part === ROOT ? "**" : asPattern(fromByteString(part)),
  }));
}

/** A pattern that matches this one name. */
function asPattern(name: string): string {
  return name.replace(/[*?[\]\\]/g, "\\$&");
}
