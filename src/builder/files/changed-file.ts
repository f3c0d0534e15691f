import type { ByteString } from "../../oci/layer-entry.ts";
import type { EntryContent, SourcedEntry } from "../../store/layers/types.ts";
import type { TreeNode } from "./types.ts";

/** A file as it will be in the layer. Names of the same file share one object, so a change reaches them all. */
export interface ChangedFile {
  kind: Exclude<TreeNode["kind"], "socket">;
  mode: number;
  uid: number;
  gid: number;
  mtimeSeconds: number;
  readonly size: number;
  readonly link?: ByteString | undefined;
  readonly major?: number | undefined;
  readonly minor?: number | undefined;
  readonly content?: EntryContent | undefined;
  xattrs?: ReadonlyMap<string, Uint8Array> | undefined;
}

export const ROOT_FILE: ChangedFile = {
  kind: "dir",
  mode: 0o755,
  uid: 0,
  gid: 0,
  mtimeSeconds: 0,
  size: 0,
};

const NO_BYTES: EntryContent = { kind: "bytes", bytes: new Uint8Array(0) };

/** A file of a tree as a layer would repeat it. Nothing can listen on a copied socket: it becomes an empty file. */
export function copyOf(node: TreeNode): ChangedFile {
  const isFile = node.kind === "file";
  return {
    kind: node.kind === "socket" ? "file" : node.kind,
    mode: node.mode,
    uid: node.uid,
    gid: node.gid,
    mtimeSeconds: node.mtimeSeconds,
    size: isFile ? node.size : 0,
    link: node.link,
    major: node.major,
    minor: node.minor,
    content: isFile
      ? { kind: "file", hostPath: node.hostPath }
      : node.kind === "socket"
        ? NO_BYTES
        : undefined,
    xattrs: undefined,
  };
}

export function toNode(file: ChangedFile): TreeNode {
  const { content, xattrs: _xattrs, ...rest } = file;
  return { ...rest, hostPath: content?.kind === "file" ? content.hostPath : "" };
}

/** @param firstName set for a further name of a file that has its entry already */
export function toEntry(
  file: ChangedFile,
  path: ByteString,
  firstName: ByteString | undefined,
): SourcedEntry {
  const { kind, mode, uid, gid, mtimeSeconds, xattrs } = file;
  if (firstName !== undefined)
    return { path, kind: "hardlink", mode, uid, gid, mtimeSeconds, size: 0, link: firstName };
  switch (kind) {
    case "file": {
      const { size, content } = file;
      if (content === undefined) throw new TypeError(`File "${path}" has no content`);
      // Spelled out: this is called for every file, and spreading takes ten times as long.
      if (xattrs === undefined) return { path, kind, mode, uid, gid, mtimeSeconds, size, content };
      return { path, kind, mode, uid, gid, mtimeSeconds, size, content, xattrs };
    }
    case "symlink":
      return { path, kind, mode, uid, gid, mtimeSeconds, size: 0, link: file.link as ByteString };
    case "char":
    case "block": {
      const { major = 0, minor = 0 } = file;
      return { path, kind, mode, uid, gid, mtimeSeconds, size: 0, major, minor };
    }
    case "dir":
    case "fifo":
      return { path, kind, mode, uid, gid, mtimeSeconds, size: 0 };
    default:
      return kind satisfies never;
  }
}
