import type { ByteString } from "../../oci/layer-entry.ts";
import { ROOT_FILE, toNode } from "./changed-file.ts";
import type { FileTree, TreeNode } from "./types.ts";

const ROOT_NODE: TreeNode = toNode(ROOT_FILE);

const NO_NAMES: readonly ByteString[] = Object.freeze([]);

/** A root folder with nothing in it: `FROM scratch`, or what `--link` copies onto. */
export const EMPTY_TREE: FileTree = Object.freeze({
  lstat: (path: ByteString) => (path === "" ? ROOT_NODE : undefined),
  readdir: () => NO_NAMES,
});
