import { lstatSync, readdirSync, type Stats } from "node:fs";
import { type ByteString, fromByteString } from "../../oci/layer-entry.ts";
import { hardlinkId, readLink } from "../../store/layers/host-files.ts";
import { decodeDevice, fsPath } from "../../sys/index.ts";
import { FilesError } from "./error.ts";
import { baseName } from "./path.ts";
import type { FileStamp, TreeNode } from "./types.ts";

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

/** What few files have. */
interface Rarities {
  readonly link?: ByteString;
  readonly major?: number;
  readonly minor?: number;
  readonly hardlinkId?: string;
}

const NOTHING_RARE: Rarities = Object.freeze({});

/** A file of a build context. A class with few fields: a context has tens of thousands of them. */
class LocalNode implements TreeNode, FileStamp {
  readonly kind: TreeNode["kind"];
  readonly mode: number;
  readonly size: number;
  readonly hostPath: string;
  readonly dev: number;
  readonly ino: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly #rarities: Rarities;

  constructor(stats: Stats, hostPath: string) {
    const kind = KINDS.get(stats.mode & S_IFMT) ?? "file";
    const isPlain = (kind === "file" && stats.nlink === 1) || kind === "dir";
    this.kind = kind;
    this.mode = stats.mode & 0o7777;
    this.size = kind === "file" ? stats.size : 0;
    this.hostPath = hostPath;
    this.dev = stats.dev;
    this.ino = stats.ino;
    this.mtimeMs = stats.mtimeMs;
    this.ctimeMs = stats.ctimeMs;
    this.#rarities = isPlain ? NOTHING_RARE : findRarities(kind, stats, hostPath);
  }

  get uid(): number {
    return 0;
  }
  get gid(): number {
    return 0;
  }
  get mtimeSeconds(): number {
    return Math.floor(this.mtimeMs / 1000);
  }
  get link(): ByteString | undefined {
    return this.#rarities.link;
  }
  get major(): number | undefined {
    return this.#rarities.major;
  }
  get minor(): number | undefined {
    return this.#rarities.minor;
  }
  get hardlinkId(): string | undefined {
    return this.#rarities.hardlinkId;
  }
  get stamp(): FileStamp {
    return this;
  }
}

/** A file of a context that came as an archive: it has the owner that it has there. */
class OwnedNode extends LocalNode {
  readonly #uid: number;
  readonly #gid: number;

  constructor(stats: Stats, hostPath: string) {
    super(stats, hostPath);
    this.#uid = stats.uid;
    this.#gid = stats.gid;
  }

  override get uid(): number {
    return this.#uid;
  }
  override get gid(): number {
    return this.#gid;
  }
}

function findRarities(kind: TreeNode["kind"], stats: Stats, hostPath: string): Rarities {
  return {
    ...(kind === "symlink" && { link: readLink(hostPath) }),
    ...((kind === "char" || kind === "block") && decodeDevice(stats.rdev)),
    ...(stats.nlink > 1 && { hardlinkId: hardlinkId(stats, hostPath) }),
  };
}

/**
 * A file on this machine's disk as a build context has it: owned by 0:0, unless `keepsOwners`. Undefined when it is not there.
 */
export function readLocalNode(hostPath: string, keepsOwners: boolean): TreeNode | undefined {
  try {
    const stats = lstatSync(fsPath(hostPath), NO_THROW);
    if (stats === undefined) return undefined;
    return keepsOwners ? new OwnedNode(stats, hostPath) : new LocalNode(stats, hostPath);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOTDIR") return undefined;
    throw readFailure(hostPath, error);
  }
}

/** Names in a folder, sorted as bytes. */
export function readLocalNames(hostPath: string): readonly ByteString[] {
  try {
    const names = readdirSync(fsPath(hostPath), { encoding: "latin1" }) as ByteString[];
    // Sorts by UTF-16 units, which are the bytes here.
    return names.sort();
  } catch (error) {
    throw readFailure(hostPath, error);
  }
}

const NO_THROW = { throwIfNoEntry: false } as const;

function readFailure(hostPath: string, cause: unknown): FilesError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const shown = fromByteString(hostPath as ByteString);
  const name = fromByteString(baseName(hostPath));
  const hint = code === "EACCES" ? `Make it readable, or exclude "${name}" in .dockerignore` : undefined;
  return new FilesError("READ_FAILED", `Cannot read "${shown}": ${code ?? message}`, { cause, hint });
}
