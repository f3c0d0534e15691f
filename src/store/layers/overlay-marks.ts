import type { Stats } from "node:fs";
import type { Xattrs } from "../../sys/index.ts";

/** The xattr that makes a folder opaque, in mounts with `userxattr`: the form that works in a user namespace too. */
export const OPAQUE_XATTR = "user.overlay.opaque";
export const OPAQUE_VALUE: Uint8Array = Buffer.from("y");
/** What a kernel sets instead when the mount lacks `userxattr`: understood, never written. */
const TRUSTED_OPAQUE_XATTR = "trusted.overlay.opaque";

/**
 * On the root of a snapshot: the layer has an entry for the root folder itself. Overlay mounts hide names that begin
 * with `user.overlay.`, so no build step sees it.
 */
export const ROOT_ENTRY_XATTR = "user.overlay.strake.root";

/** Whether a file is overlay's sign for "gone": a character device 0/0. */
export function isWhiteout(stats: Stats): boolean {
  return stats.isCharacterDevice() && stats.rdev === 0;
}

/** Whether lower layers are hidden below this folder. */
export function isOpaque(xattrs: Xattrs, hostPath: string): boolean {
  const value = xattrs.get(hostPath, OPAQUE_XATTR) ?? xattrs.get(hostPath, TRUSTED_OPAQUE_XATTR);
  return value !== undefined && value.length === 1 && value[0] === OPAQUE_VALUE[0];
}

/** Which attributes a layer stores: file capabilities and users' own, not the host's labels nor overlay's marks. */
export function isLayerXattr(name: string): boolean {
  return name === "security.capability" || (name.startsWith("user.") && !name.startsWith("user.overlay."));
}

/** The attributes of a file that a layer stores; undefined when there are none. */
export function readLayerXattrs(
  xattrs: Xattrs,
  hostPath: string,
): ReadonlyMap<string, Uint8Array> | undefined {
  let found: Map<string, Uint8Array> | undefined;
  for (const name of xattrs.list(hostPath)) {
    if (!isLayerXattr(name)) continue;
    const value = xattrs.get(hostPath, name);
    if (value === undefined) continue; // removed in between
    found ??= new Map();
    found.set(name, value);
  }
  return found;
}
