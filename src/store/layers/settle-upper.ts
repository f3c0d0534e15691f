import { rmSync } from "node:fs";
import { type ByteString, toByteString } from "../../oci/layer-entry.ts";
import { fsPath, setMtime, Xattrs } from "../../sys/index.ts";
import { listNames } from "./host-files.ts";
import { isLayerXattr, OPAQUE_VALUE, OPAQUE_XATTR, ROOT_ENTRY_XATTR } from "./overlay-marks.ts";
import type { SourcedEntry } from "./types.ts";

/**
 * Makes an upper folder what unpacking its layer's tar would have made: removes what `scanUpper` left out, marks and
 * attributes that layers do not store, and fractions of seconds. Then the folder serves as the layer's snapshot, and
 * `packSnapshot` gives the tar that `writeLayer` makes of `entries`.
 *
 * `entries` is what `scanUpper` answered for `upper`; nothing may have it mounted any more.
 */
export function settleUpper(upperFolder: string, entries: readonly SourcedEntry[]): void {
  const upper = toByteString(upperFolder);
  const kept = new Map<ByteString, SourcedEntry>();
  const opaque = new Set<ByteString>();
  for (const entry of entries) {
    if (entry.kind === "opaque") opaque.add(entry.path);
    else kept.set(entry.path, entry);
  }
  const xattrs = new Xattrs();
  const settleFolder = (folder: ByteString, hostFolder: string): void => {
    for (const name of listNames(hostFolder)) {
      const path = (folder === "" ? name : `${folder}/${name}`) as ByteString;
      const hostPath = `${hostFolder}/${name}`;
      const entry = kept.get(path);
      if (entry === undefined) {
        rmSync(fsPath(hostPath), { recursive: true, force: true });
        continue;
      }
      if (entry.kind === "whiteout") continue;
      if (entry.kind === "dir") settleFolder(path, hostPath);
      settleXattrs(xattrs, hostPath, opaque.has(path));
      setMtime(hostPath, entry.mtimeSeconds);
    }
  };
  const root = kept.get("" as ByteString);
  settleFolder("" as ByteString, upper);
  settleXattrs(xattrs, upper, opaque.has("" as ByteString));
  if (root === undefined) return;
  xattrs.set(upper, ROOT_ENTRY_XATTR, OPAQUE_VALUE);
  setMtime(upper, root.mtimeSeconds);
}

function settleXattrs(xattrs: Xattrs, hostPath: string, isOpaque: boolean): void {
  for (const name of xattrs.list(hostPath)) {
    // The host's labels (security.selinux …) are the kernel's to keep.
    if (isLayerXattr(name) || name.startsWith("security.") || (isOpaque && name === OPAQUE_XATTR)) continue;
    xattrs.remove(hostPath, name);
  }
  if (isOpaque) xattrs.set(hostPath, OPAQUE_XATTR, OPAQUE_VALUE);
}
