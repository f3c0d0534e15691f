import type { ByteString, LayerEntry } from "../oci/layer-entry.ts";
import type { TarHeader } from "./header.ts";
import { cleanPath } from "./path-rules.ts";
import { parseWhiteout } from "./whiteout.ts";

/**
 * An entry of a layer's tar as the change it stands for; undefined when it says nothing (AUFS bookkeeping).
 * @throws {TarError} PATH_ESCAPES when its name, or the target of a hard link, leads out of the root
 */
export function toLayerEntry(header: TarHeader): LayerEntry | undefined {
  const path = cleanPath(header.name);
  const whiteout = parseWhiteout(path);
  if (whiteout?.kind === "ignored") return undefined;
  if (whiteout !== undefined) {
    return { path: whiteout.path, kind: whiteout.kind, mode: 0, uid: 0, gid: 0, mtimeSeconds: 0, size: 0 };
  }
  const { kind, mode, uid, gid, mtimeSeconds, size, xattrs } = header;
  return {
    path,
    kind,
    mode,
    uid,
    gid,
    mtimeSeconds,
    size,
    ...(kind === "symlink" && { link: header.link as ByteString }),
    ...(kind === "hardlink" && { link: cleanPath(header.link) }),
    ...((kind === "char" || kind === "block") && { major: header.major, minor: header.minor }),
    ...(xattrs !== undefined && { xattrs }),
  };
}
