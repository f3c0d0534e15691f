import type { ByteString } from "../../../oci/layer-entry.ts";
import { joinPath } from "../path.ts";
import type { FileTree, TreeNode } from "../types.ts";

/** A folder of a tree as a tree of its own: links in it that start with a slash start here. */
export class Subtree implements FileTree {
  readonly #tree: FileTree;
  readonly #folder: ByteString;

  constructor(tree: FileTree, folder: ByteString) {
    this.#tree = tree;
    this.#folder = folder;
  }

  lstat(path: ByteString): TreeNode | undefined {
    return this.#tree.lstat(joinPath(this.#folder, path));
  }

  readdir(path: ByteString): readonly ByteString[] {
    return this.#tree.readdir(joinPath(this.#folder, path));
  }
}
