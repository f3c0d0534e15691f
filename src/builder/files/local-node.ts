import { lstatSync, readdirSync, readlinkSync, type Stats } from "node:fs";
import { type ByteString, fromByteString } from "../../oci/layer-entry.ts";
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

/** A file of a build context. A class, so that all have one shape: a context has tens of thousands of them. */
class LocalNode implements TreeNode, FileStamp {
  readonly kind: TreeNode["kind"];
  readonly mode: number;
  readonly uid = 0;
  readonly gid = 0;
  readonly mtimeSeconds: number;
  readonly size: number;
  readonly link: ByteString | undefined;
  readonly major: number | undefined;
  readonly minor: number | undefined;
  readonly hostPath: string;
  readonly hardlinkId: string | undefined;
  readonly dev: number;
  readonly ino: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;

  constructor(stats: Stats, hostPath: string) {
    const kind = KINDS.get(stats.mode & S_IFMT) ?? "file";
    const device = kind === "char" || kind === "block" ? decodeDevice(stats.rdev) : undefined;
    this.kind = kind;
    this.mode = stats.mode & 0o7777;
    this.mtimeSeconds = Math.floor(stats.mtimeMs / 1000);
    this.size = kind === "file" ? stats.size : 0;
    this.link = kind === "symlink" ? readLink(hostPath) : undefined;
    this.major = device?.major;
    this.minor = device?.minor;
    this.hostPath = hostPath;
    this.hardlinkId = stats.nlink > 1 && kind !== "dir" ? hardlinkId(stats, hostPath) : undefined;
    this.dev = stats.dev;
    this.ino = stats.ino;
    this.mtimeMs = stats.mtimeMs;
    this.ctimeMs = stats.ctimeMs;
  }

  get stamp(): FileStamp {
    return this;
  }
}

/** A file on this machine's disk as a build context has it: owned by 0:0. Undefined when it is not there. */
export function readLocalNode(hostPath: string): TreeNode | undefined {
  try {
    const stats = lstatSync(fsPath(hostPath), NO_THROW);
    return stats === undefined ? undefined : new LocalNode(stats, hostPath);
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

function readLink(hostPath: string): ByteString {
  return readlinkSync(fsPath(hostPath), { encoding: "latin1" }) as ByteString;
}

/** Inode numbers past 2^53 are cut off in ordinary stats; then they are asked for again, exactly. */
function hardlinkId(stats: Stats, hostPath: string): string {
  if (Number.isSafeInteger(stats.ino)) return `${stats.dev}:${stats.ino}`;
  const exact = lstatSync(fsPath(hostPath), { bigint: true });
  return `${exact.dev}:${exact.ino}`;
}

function readFailure(hostPath: string, cause: unknown): FilesError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const shown = fromByteString(hostPath as ByteString);
  const name = fromByteString(baseName(hostPath));
  const hint = code === "EACCES" ? `Make it readable, or exclude "${name}" in .dockerignore` : undefined;
  return new FilesError("READ_FAILED", `Cannot read "${shown}": ${code ?? message}`, { cause, hint });
}
