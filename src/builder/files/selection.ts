import type { ByteString } from "../../oci/layer-entry.ts";
import type { EntryContent } from "../../store/layers/types.ts";
import type { FileTree, PathFilter, TreeNode } from "./types.ts";

/** A source of a COPY or ADD, as the instruction has it. */
export type CopySource =
  /** Files of a context, a stage or an image. */
  | {
      readonly kind: "tree";
      readonly tree: FileTree;
      /** What the tree is called in messages: `the build context`, `stage "build"`. */
      readonly treeName: string;
      /** Inside the tree; may hold wildcards. A leading slash makes no difference. */
      readonly path: string;
      /** The path as the instruction has it, for messages. */
      readonly written?: string | undefined;
      /** With `--parents`: what follows `/./`, or all of the path (then `path` is the root). */
      readonly parentsPattern?: string | undefined;
      /** Of a context that is a folder here: the paths that all steps of the build take of it. See `isSent`. */
      readonly sentPaths?: readonly string[] | undefined;
    }
  | FileSource
  /** A whole tree as one folder: a git repository. */
  | { readonly kind: "root"; readonly tree: FileTree; readonly treeName: string };

/** One file that is in no tree: a heredoc, a download. */
export interface FileSource {
  readonly kind: "file";
  readonly name: ByteString;
  readonly content: EntryContent;
  readonly size: number;
  readonly mode: number;
  readonly mtimeSeconds: number;
  /** A download that `--unpack` asks to unpack; it has to be on the disk. */
  readonly unpack?: boolean;
}

/** A file that is copied, by its path below the file or folder that was selected. */
export interface SelectedEntry {
  /** "" for the selected file or folder itself. */
  readonly path: ByteString;
  readonly node: TreeNode;
  /**
   * The pattern did not ask for this folder, only for something inside it: where there is one already, it takes
   * over the mode but not the owner.
   */
  readonly isImplied: boolean;
}

/** One file or folder that a source stands for; wildcards select several. */
export interface SelectedRoot {
  /** Name in a destination folder; the name written, where that is a symlink. */
  readonly name: ByteString;
  /** A folder gives its contents, a file itself. */
  readonly isDir: boolean;
  /** Itself first, then what is inside, in the order of a walk. */
  readonly entries: readonly SelectedEntry[];
}

/** What a COPY or ADD takes, in the order of its sources: input of both the cache key and the plan. */
export interface Selection {
  readonly sources: readonly SelectedSource[];
}

export type SelectedSource =
  | {
      readonly kind: "tree";
      readonly roots: readonly SelectedRoot[];
      /** Whether capabilities of its files are copied. */
      readonly keepsXattrs: boolean;
    }
  | FileSource;

export interface SelectOptions {
  /** `--exclude`: patterns below each file or folder that is copied. */
  readonly exclude: readonly string[];
  /** Reads patterns as a .dockerignore has them. */
  readonly createFilter: (patterns: readonly string[]) => PathFilter;
  readonly signal?: AbortSignal | undefined;
}
