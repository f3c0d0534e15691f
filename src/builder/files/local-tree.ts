import { lstatSync, readdirSync, readlinkSync, realpathSync, type Stats } from "node:fs";
import { type ByteString, fromByteString } from "../../oci/layer-entry.ts";
import { decodeDevice, fsPath } from "../../sys/index.ts";
import { FilesError } from "./error.ts";
import { baseName, joinPath, parentPath, ROOT } from "./path.ts";
import type { FileTree, PathFilter, TreeNode } from "./types.ts";

const S_IFMT = 0o170000;
const KINDS = new Map<number, TreeNode["kind"]>([
  [0o100000, "file"],
  [0o040000, "dir"],
  [0o120000, "symlink"],
  [0o020000, "char"],
  [0o060000, "block"],
  [0o010000, "fifo"],
  [0o140000, "socket"],
]);

const NO_NAMES: readonly ByteString[] = Object.freeze([]);

export interface LocalTreeOptions {
  /** What is not to be seen: the lines of a .dockerignore. */
  readonly ignore?: PathFilter | undefined;
  /** Which line of which ignore file excludes a path; for messages. */
  readonly explainIgnored?: ((path: string) => string | undefined) | undefined;
}

/** A folder's own answer to the ignore filter, kept for what is inside it. */
interface FilteredFolder {
  readonly matched: boolean;
  readonly state: unknown;
}

/**
 * A build context on this machine's disk. Everything belongs to 0:0, as in every context that Docker gets.
 * Each file is looked at once: the tree stays as it was first seen, whatever happens on the disk.
 */
export class LocalTree implements FileTree {
  /** Without symlinks, so that host paths are the files' own. */
  readonly root: string;
  readonly #ignore: PathFilter | undefined;
  readonly #explainIgnored: ((path: string) => string | undefined) | undefined;
  readonly #nodes = new Map<ByteString, TreeNode | undefined>();
  readonly #names = new Map<ByteString, readonly ByteString[]>();
  readonly #folders = new Map<ByteString, FilteredFolder>();

  /** @param root a folder's path, as text. @throws the file system's error when it is not there */
  constructor(root: string, options: LocalTreeOptions = {}) {
    this.root = realpathSync(Buffer.from(root), { encoding: "latin1" });
    this.#ignore = options.ignore;
    this.#explainIgnored = options.explainIgnored;
  }

  lstat(path: ByteString): TreeNode | undefined {
    const known = this.#nodes.get(path);
    if (known !== undefined || this.#nodes.has(path)) return known;
    const node = this.#look(path);
    this.#nodes.set(path, node);
    return node;
  }

  readdir(path: ByteString): readonly ByteString[] {
    if (this.lstat(path)?.kind !== "dir") return NO_NAMES;
    const names = this.#namesOnDisk(path);
    if (this.#ignore === undefined) return names;
    return names.filter((name) => this.lstat(joinPath(path, name)) !== undefined);
  }

  explainMissing(path: ByteString): string | undefined {
    if (this.#ignore === undefined || this.#statOnDisk(path) === undefined) return undefined;
    return this.#explainIgnored?.(fromByteString(path));
  }

  #look(path: ByteString): TreeNode | undefined {
    if (path === ROOT) return this.#statOnDisk(ROOT);
    // The kernel would follow a symlink on the way; a tree does not.
    const parent = parentPath(path);
    const parentNode = this.lstat(parent);
    if (parentNode?.kind !== "dir") return undefined;
    if (this.#ignore === undefined) return this.#statOnDisk(path);

    const { matched, state } = this.#ignore.match(fromByteString(path), this.#folderState(parent));
    if (!matched) {
      const node = this.#statOnDisk(path);
      if (node?.kind === "dir") this.#folders.set(path, { matched, state });
      return node;
    }
    // An excluded folder is there all the same when an exception brings back something inside it.
    if (!this.#ignore.hasExceptions) return undefined;
    const node = this.#statOnDisk(path);
    if (node?.kind !== "dir") return undefined;
    this.#folders.set(path, { matched, state });
    this.#nodes.set(path, node);
    const hasSomething = this.#namesOnDisk(path).some(
      (name) => this.lstat(joinPath(path, name)) !== undefined,
    );
    return hasSomething ? node : undefined;
  }

  /** State of the filter at a folder; undefined at the root. */
  #folderState(path: ByteString): unknown {
    if (path === ROOT) return undefined;
    return this.#folders.get(path)?.state;
  }

  #namesOnDisk(path: ByteString): readonly ByteString[] {
    const known = this.#names.get(path);
    if (known !== undefined) return known;
    const names = readFolder(this.#hostPath(path)) as ByteString[];
    names.sort(compareBytes);
    this.#names.set(path, names);
    return names;
  }

  #statOnDisk(path: ByteString): TreeNode | undefined {
    const hostPath = this.#hostPath(path);
    const stats = statFile(hostPath);
    return stats === undefined ? undefined : toNode(stats, hostPath);
  }

  #hostPath(path: ByteString): string {
    return path === ROOT ? this.root : `${this.root}/${path}`;
  }
}

function statFile(hostPath: string): Stats | undefined {
  try {
    return lstatSync(fsPath(hostPath), { throwIfNoEntry: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOTDIR") return undefined;
    throw readFailure(hostPath, error);
  }
}

function readFolder(hostPath: string): string[] {
  try {
    return readdirSync(fsPath(hostPath), { encoding: "latin1" });
  } catch (error) {
    throw readFailure(hostPath, error);
  }
}

function readFailure(hostPath: string, cause: unknown): FilesError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const shown = fromByteString(hostPath as ByteString);
  const hint =
    code === "EACCES"
      ? `Make it readable, or exclude "${fromByteString(baseName(hostPath))}" in .dockerignore`
      : undefined;
  return new FilesError("READ_FAILED", `Cannot read "${shown}": ${code ?? message}`, { cause, hint });
}

function toNode(stats: Stats, hostPath: string): TreeNode {
  const kind = KINDS.get(stats.mode & S_IFMT) ?? "file";
  const isDevice = kind === "char" || kind === "block";
  return {
    kind,
    mode: stats.mode & 0o7777,
    uid: 0,
    gid: 0,
    mtimeSeconds: Math.floor(stats.mtimeMs / 1000),
    size: kind === "file" ? stats.size : 0,
    hostPath,
    stamp: { dev: stats.dev, ino: stats.ino, mtimeMs: stats.mtimeMs, ctimeMs: stats.ctimeMs },
    ...(kind === "symlink" && { link: readlinkSync(fsPath(hostPath), { encoding: "latin1" }) as ByteString }),
    ...(isDevice && decodeDevice(stats.rdev)),
    ...(stats.nlink > 1 && kind !== "dir" && { hardlinkId: hardlinkId(stats, hostPath) }),
  };
}

/** Inode numbers past 2^53 are cut off in ordinary stats; then they are asked for again, exactly. */
function hardlinkId(stats: Stats, hostPath: string): string {
  if (Number.isSafeInteger(stats.ino)) return `${stats.dev}:${stats.ino}`;
  const exact = lstatSync(fsPath(hostPath), { bigint: true });
  return `${exact.dev}:${exact.ino}`;
}

function compareBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
