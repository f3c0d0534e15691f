import type { ByteString } from "../../oci/layer-entry.ts";
import type { FileTree, TreeNode } from "./types.ts";

const ROOT_NODE: TreeNode = {
  kind: "dir",
  mode: 0o755,
  uid: 0,
  gid: 0,
  mtimeSeconds: 0,
  size: 0,
  hostPath: "",
};

const NO_NAMES: readonly ByteString[] = Object.freeze([]);

/** A root folder with nothing in it: `FROM scratch`, or what `--link` copies onto. */
export const EMPTY_TREE: FileTree = Object.freeze({
  lstat: (path: ByteString) => (path === "" ? ROOT_NODE : undefined),
  readdir: () => NO_NAMES,
});
