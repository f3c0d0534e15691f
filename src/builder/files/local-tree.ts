import { realpathSync } from "node:fs";
import { type ByteString, fromByteString } from "../../oci/layer-entry.ts";
import { readLocalNames, readLocalNode } from "./local-node.ts";
import { joinPath, parentPath, ROOT } from "./path.ts";
import type { FileTree, PathFilter, TreeEntry, TreeNode } from "./types.ts";

export interface LocalTreeOptions {
  /** What is not to be seen: the lines of a .dockerignore. */
  readonly ignore?: PathFilter | undefined;
  /** Which line of which ignore file excludes a path; for messages. */
  readonly explainIgnored?: ((path: string) => string | undefined) | undefined;
  /** The folder was unpacked from an archive: its files keep their owners and capabilities. */
  readonly isUnpacked?: boolean | undefined;
}

/** A folder that was met on the way. */
interface Folder {
  readonly node: TreeNode;
  /** What the ignore filter answered for it; undefined for the root. */
  readonly filterState: unknown;
  /** All that is in it, once it was listed. */
  entries: readonly TreeEntry[] | undefined;
  byName: ReadonlyMap<ByteString, TreeNode> | undefined;
}

const NO_ENTRIES: readonly TreeEntry[] = Object.freeze([]);

/**
 * A build context on this machine's disk. Everything belongs to 0:0, as in every folder that Docker gets, but not in
 * archives.
 * Each file is looked at once: the tree stays as it was first seen, whatever happens on the disk.
 */
export class LocalTree implements FileTree {
  /** Without symlinks, so that host paths are the files' own. */
  readonly root: string;
  readonly keepsXattrs: boolean;
  readonly #ignore: PathFilter | undefined;
  readonly #explainIgnored: ((path: string) => string | undefined) | undefined;
  readonly #folders = new Map<ByteString, Folder>();
  /** Looked up one by one, in folders that were not listed. */
  readonly #singles = new Map<ByteString, TreeNode | undefined>();

  /** @param root a folder's path, as text. @throws the file system's error when it is not there */
  constructor(root: string, options: LocalTreeOptions = {}) {
    this.root = realpathSync(Buffer.from(root), { encoding: "latin1" });
    this.#ignore = options.ignore;
    this.#explainIgnored = options.explainIgnored;
    this.keepsXattrs = options.isUnpacked === true;
    const node = this.#read(this.root);
    if (node !== undefined) this.#addFolder(ROOT, node, undefined);
  }

  lstat(path: ByteString): TreeNode | undefined {
    const folder = this.#folders.get(path);
    if (folder !== undefined) return folder.node;
    if (path === ROOT) return undefined;
    const known = this.#singles.get(path);
    if (known !== undefined || this.#singles.has(path)) return known;

    // The kernel would follow a symlink on the way; a tree does not.
    const parent = parentPath(path);
    if (this.lstat(parent)?.kind !== "dir") return undefined;
    const around = this.#folders.get(parent);
    if (around?.entries !== undefined) {
      around.byName ??= new Map(around.entries.map(({ name, node }) => [name, node]));
      return around.byName.get(path.slice(parent === ROOT ? 0 : parent.length + 1) as ByteString);
    }
    const node = this.#look(path, around?.filterState);
    if (node?.kind !== "dir") this.#singles.set(path, node);
    return node;
  }

  readdir(path: ByteString): readonly ByteString[] {
    return this.list(path).map(({ name }) => name);
  }

  list(path: ByteString): readonly TreeEntry[] {
    if (this.lstat(path)?.kind !== "dir") return NO_ENTRIES;
    const folder = this.#folders.get(path);
    if (folder === undefined) return NO_ENTRIES;
    if (folder.entries !== undefined) return folder.entries;
    const names = readLocalNames(this.#hostPath(path));
    folder.entries =
      this.#ignore === undefined ? this.#listAll(path, names) : this.#listFiltered(path, names);
    return folder.entries;
  }

  /** Without a filter; paths inside the tree are made for folders only, which is most of the work otherwise. */
  #listAll(path: ByteString, names: readonly ByteString[]): readonly TreeEntry[] {
    const hostPath = this.#hostPath(path);
    const entries: TreeEntry[] = [];
    for (const name of names) {
      const seen = this.#singles.size === 0 ? undefined : this.#singles.get(joinPath(path, name));
      const node = seen ?? this.#read(`${hostPath}/${name}`);
      if (node === undefined) continue;
      if (node.kind === "dir") this.#addFolder(joinPath(path, name), node, undefined);
      entries.push({ name, node });
    }
    return entries;
  }

  #listFiltered(path: ByteString, names: readonly ByteString[]): readonly TreeEntry[] {
    const filterState = this.#folders.get(path)?.filterState;
    const entries: TreeEntry[] = [];
    for (const name of names) {
      const childPath = joinPath(path, name);
      const node = this.#singles.get(childPath) ?? this.#look(childPath, filterState);
      if (node !== undefined) entries.push({ name, node });
    }
    return entries;
  }

  explainMissing(path: ByteString): string | undefined {
    if (this.#ignore === undefined || this.#read(this.#hostPath(path)) === undefined) return undefined;
    return this.#explainIgnored?.(fromByteString(path));
  }

  /** A file whose folder is there, unless it is excluded. */
  #look(path: ByteString, parentState: unknown): TreeNode | undefined {
    if (this.#ignore === undefined) {
      const node = this.#read(this.#hostPath(path));
      if (node?.kind === "dir") this.#addFolder(path, node, undefined);
      return node;
    }
    const match = this.#ignore.match(fromByteString(path), parentState);
    const { matched } = match;
    if (matched && (match.canSkip ?? !this.#ignore.hasExceptions)) return undefined;
    const node = this.#read(this.#hostPath(path));
    if (node?.kind !== "dir") return matched ? undefined : node;
    this.#addFolder(path, node, match.state);
    // An excluded folder is there all the same when an exception brings back something inside it.
    if (!matched || this.list(path).length > 0) return node;
    this.#folders.delete(path);
    this.#singles.set(path, undefined);
    return undefined;
  }

  #addFolder(path: ByteString, node: TreeNode, filterState: unknown): void {
    // Not twice: what is inside would be looked at again.
    if (!this.#folders.has(path))
      this.#folders.set(path, { node, filterState, entries: undefined, byName: undefined });
  }

  #read(hostPath: string): TreeNode | undefined {
    return readLocalNode(hostPath, this.keepsXattrs);
  }

  #hostPath(path: ByteString): string {
    return path === ROOT ? this.root : `${this.root}/${path}`;
  }
}
