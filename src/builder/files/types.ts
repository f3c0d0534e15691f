import type { ByteString, LayerEntryKind } from "../../oci/layer-entry.ts";

/** A file as it stands in a tree. */
export interface TreeNode {
  readonly kind: Exclude<LayerEntryKind, "hardlink" | "whiteout" | "opaque"> | "socket";
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeSeconds: number;
  readonly size: number;
  readonly link?: ByteString;
  readonly major?: number;
  readonly minor?: number;
  /** Host path of the file itself (latin1), for reading its bytes and xattrs. */
  readonly hostPath: string;
  /** Equal for names of the same file; undefined where there is only one name. */
  readonly hardlinkId?: string;
}

/**
 * Read access to a file system: a build context (after .dockerignore) or a stack of layers. Paths are relative,
 * without leading or trailing slash, "" is the root. No call follows symlinks: a path through one is not found.
 */
export interface FileTree {
  lstat(path: ByteString): TreeNode | undefined;
  /** Names in a folder, sorted as bytes; empty when it is no folder. */
  readdir(path: ByteString): readonly ByteString[];
}
