import { rmSync } from "node:fs";
import { type ByteString, toByteString } from "../../oci/layer-entry.ts";
import { fsPath, makeNode, setMtime, Xattrs } from "../../sys/index.ts";
import { joinPath } from "../../tar/index.ts";
import { listHost, statHost } from "./host-files.ts";
import { isLayerXattr, OPAQUE_VALUE, OPAQUE_XATTR, ROOT_ENTRY_XATTR } from "./overlay-marks.ts";
import type { SourcedEntry } from "./types.ts";

/**
 * Makes an upper folder what unpacking its layer's tar would have made: removes what `scanUpper` left out, marks and
 * attributes that layers do not store, and fractions of seconds. Then the folder serves as the layer's snapshot, and
 * `packSnapshot` gives the tar that `writeLayer` makes of `entries`.
 *
 * `entries` is what `scanUpper` answered for `upper`; nothing may have it mounted any more.
 */
export function settleUpper(upper: string, entries: readonly SourcedEntry[]): void {
  const host = toByteString(upper);
  const xattrs = new Xattrs();
  const kept = new Set<ByteString>();
  const opaque = new Set<ByteString>();
  for (const { path, kind } of entries) (kind === "opaque" ? opaque : kept).add(path);
  removeOthers(host, "" as ByteString, kept);
  // Backwards, so that a folder comes after what is in it, and its time stays.
  for (const entry of entries.toReversed()) settle(entry, `${host}/${entry.path}`, opaque, xattrs);
  if (!kept.has("" as ByteString)) settleXattrs(xattrs, host, opaque.has("" as ByteString));
}

function removeOthers(hostFolder: string, folder: ByteString, kept: ReadonlySet<ByteString>): void {
  for (const dirent of listHost(hostFolder)) {
    const path = joinPath(folder, dirent.name);
    const hostPath = `${hostFolder}/${dirent.name}`;
    if (!kept.has(path)) rmSync(fsPath(hostPath), { recursive: true, force: true });
    else if (dirent.isDirectory()) removeOthers(hostPath, path, kept);
  }
}

function settle(
  entry: SourcedEntry,
  hostPath: string,
  opaque: ReadonlySet<ByteString>,
  xattrs: Xattrs,
): void {
  switch (entry.kind) {
    case "opaque":
    case "hardlink":
      return; // the folder and the file have entries of their own
    case "whiteout":
      // One that a file named `.wh.NAME` stands for is not there yet.
      if (statHost(hostPath) === undefined) makeNode(hostPath, { kind: "char", mode: 0 });
      return;
    default:
      settleXattrs(xattrs, hostPath, opaque.has(entry.path));
      if (entry.path === "") xattrs.set(hostPath, ROOT_ENTRY_XATTR, OPAQUE_VALUE);
      setMtime(hostPath, entry.mtimeSeconds);
  }
}

function settleXattrs(xattrs: Xattrs, hostPath: string, isOpaque: boolean): void {
  let isMarked = false;
  for (const name of xattrs.list(hostPath)) {
    // The host's labels (security.selinux …) are the kernel's to keep.
    if (isLayerXattr(name) || name.startsWith("security.")) continue;
    if (isOpaque && name === OPAQUE_XATTR) isMarked = true;
    else xattrs.remove(hostPath, name);
  }
  if (isOpaque && !isMarked) xattrs.set(hostPath, OPAQUE_XATTR, OPAQUE_VALUE);
}
