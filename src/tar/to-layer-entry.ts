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
  // Without a spread for the usual file: it is called for every one.
  const plain = { path, kind, mode, uid, gid, mtimeSeconds, size };
  const entry =
    kind === "file" || kind === "dir" || kind === "fifo" ? plain : { ...plain, ...extraOf(header) };
  return xattrs === undefined ? entry : { ...entry, xattrs };
}

function extraOf(header: TarHeader): Pick<LayerEntry, "link" | "major" | "minor"> {
  switch (header.kind) {
    case "symlink":
      return { link: header.link as ByteString };
    case "hardlink":
      return { link: cleanPath(header.link) };
    default:
      return { major: header.major, minor: header.minor };
  }
}
