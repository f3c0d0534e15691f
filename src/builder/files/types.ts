import type { ByteString } from "../../oci/layer-entry.ts";
import type { LayerNode } from "../../store/layers/types.ts";

/** What tells a changed file from an unchanged one without reading it. */
export interface FileStamp {
  readonly dev: number;
  readonly ino: number;
  /** Milliseconds since the epoch with a fraction: about 0.25 µs apart. */
  readonly mtimeMs: number;
  readonly ctimeMs: number;
}

/** A file as it stands in a tree. */
export interface TreeNode extends LayerNode {
  /** Saves whoever hashes the file an lstat. */
  readonly stamp?: FileStamp | undefined;
}

export interface TreeEntry {
  readonly name: ByteString;
  readonly node: TreeNode;
}

/**
 * Read access to a file system: a build context (after .dockerignore) or a stack of layers. Paths are relative,
 * without leading or trailing slash, "" is the root. No call follows symlinks: a path through one is not found.
 */
export interface FileTree {
  lstat(path: ByteString): TreeNode | undefined;
  /** Names in a folder, sorted as bytes; empty when it is no folder. */
  readdir(path: ByteString): readonly ByteString[];
  /** `readdir` and `lstat` of every name in one, for trees that can do that faster. */
  list?(path: ByteString): readonly TreeEntry[];
  /** false for a build context: extended attributes of its files are not copied. */
  readonly keepsXattrs?: boolean;
  /**
   * For people: why a path that is on the disk is not in the tree, as a sentence without a period; undefined when
   * there is no reason beyond its not being there.
   */
  explainMissing?(path: ByteString): string | undefined;
}

/**
 * A list of patterns as a walk asks it: whether a path matches, given what its folder answered. The state is
 * opaque to the walk; undefined stands for the root.
 */
export interface PathFilter<State = unknown> {
  /** Has it `!` lines: only then can anything below a matched folder be unmatched. */
  readonly hasExceptions: boolean;
  match(path: string, parent: State | undefined): FilterMatch<State>;
}

export interface FilterMatch<State = unknown> {
  readonly matched: boolean;
  /** To be given back for what is inside, where the path is a folder's. */
  readonly state: State;
  /** Nothing inside can be unmatched; `matched` and no exceptions at all when it is not said. */
  readonly canSkip?: boolean;
}

/** Who owns what a step makes. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}
