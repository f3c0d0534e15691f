import { type Dirent, lstatSync, readdirSync, readlinkSync, type Stats } from "node:fs";
import type { ByteString } from "../../oci/layer-entry.ts";
import { decodeDevice, fsPath } from "../../sys/index.ts";
import type { LayerNode } from "./types.ts";

/** Stats of the file itself; undefined when there is none. */
export function statHost(hostPath: string): Stats | undefined {
  try {
    return lstatSync(fsPath(hostPath), { throwIfNoEntry: false });
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOTDIR") return undefined;
    throw error;
  }
}

/** Names and kinds in a folder, in no order; the names are bytes as latin1. */
export function listHost(hostPath: string): readonly Dirent[] {
  return readdirSync(fsPath(hostPath), { withFileTypes: true, encoding: "latin1" });
}

/** Names in a folder, sorted as bytes. */
export function listNames(hostPath: string): readonly string[] {
  return readdirSync(fsPath(hostPath), "latin1").sort();
}

/** A symlink's target as bytes. */
export function readLink(hostPath: string): ByteString {
  return readlinkSync(fsPath(hostPath), "latin1") as ByteString;
}

/** The file as a tree shows it. */
export function describe(stats: Stats, hostPath: string): LayerNode {
  const kind = kindOf(stats);
  const { uid, gid, nlink } = stats;
  const mode = stats.mode & 0o7777;
  const mtimeSeconds = Math.floor(stats.mtimeMs / 1000);
  const size = kind === "file" ? stats.size : 0;
  const plain = { kind, mode, uid, gid, mtimeSeconds, size, hostPath };
  // No spread for what is asked 20,000 times in a row: plain files with one name, and folders.
  if (kind === "dir" || (kind === "file" && nlink === 1)) return plain;
  return {
    ...plain,
    ...(kind === "symlink" && { link: readLink(hostPath) }),
    ...((kind === "char" || kind === "block") && decodeDevice(stats.rdev)),
    ...(nlink > 1 && { hardlinkId: hardlinkId(stats, hostPath) }),
  };
}

/**
 * The same for all names of a file, and for no other. Network file systems have inode numbers past 2^53, which ordinary stats
 * cut off: they are asked for again, exactly.
 */
export function hardlinkId(stats: Stats, hostPath: string): string {
  if (Number.isSafeInteger(stats.ino)) return `${stats.dev}:${stats.ino}`;
  const exact = lstatSync(fsPath(hostPath), { bigint: true });
  return `${exact.dev}:${exact.ino}`;
}

function kindOf(stats: Stats): LayerNode["kind"] {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "dir";
  if (stats.isSymbolicLink()) return "symlink";
  if (stats.isCharacterDevice()) return "char";
  if (stats.isBlockDevice()) return "block";
  return stats.isFIFO() ? "fifo" : "socket";
}
