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
  return {
    kind,
    mode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
    mtimeSeconds: Math.floor(stats.mtimeMs / 1000),
    size: kind === "file" ? stats.size : 0,
    hostPath,
    ...(kind === "symlink" && { link: readLink(hostPath) }),
    ...((kind === "char" || kind === "block") && decodeDevice(stats.rdev)),
    ...(stats.nlink > 1 && kind !== "dir" && { hardlinkId: identify(stats, hostPath) }),
  };
}

/** Network file systems have inode numbers that a double cannot tell apart. */
function identify(stats: Stats, hostPath: string): string {
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
