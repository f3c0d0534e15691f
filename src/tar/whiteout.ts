import type { ByteString, LayerEntry } from "../oci/layer-entry.ts";
import { joinPath } from "./path-rules.ts";

const WHITEOUT_PREFIX = ".wh.";
const META_PREFIX = ".wh..wh.";
const OPAQUE_NAME = ".wh..wh..opq";

/** What a name in a layer says about whiteouts. */
export type WhiteoutName =
  | { readonly kind: "whiteout"; readonly path: ByteString }
  | { readonly kind: "opaque"; readonly path: ByteString }
  /** Bookkeeping of AUFS (`.wh..wh.plnk` …) or a whiteout of nothing: to be skipped. */
  | { readonly kind: "ignored" };

/**
 * Reads a path as a whiteout; undefined when its last part is an ordinary name.
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#whiteouts
 */
export function parseWhiteout(path: ByteString): WhiteoutName | undefined {
  const slash = path.lastIndexOf("/");
  if (!path.startsWith(WHITEOUT_PREFIX, slash + 1)) return undefined;
  const name = path.slice(slash + 1);
  const parent = path.slice(0, Math.max(slash, 0));
  if (name === OPAQUE_NAME) return { kind: "opaque", path: parent as ByteString };
  const hidden = name.slice(WHITEOUT_PREFIX.length);
  if (name.startsWith(META_PREFIX) || hidden === "" || hidden === "." || hidden === "..")
    return { kind: "ignored" };
  return { kind: "whiteout", path: joinPath(parent, hidden) };
}

/** The name of an entry in a layer tar: folders with a slash at the end, the root as `./`. */
export function tarPath(entry: LayerEntry): string {
  const { path } = entry;
  switch (entry.kind) {
    case "dir":
      return path === "" ? "./" : `${path}/`;
    case "opaque":
      return joinPath(path, OPAQUE_NAME);
    case "whiteout": {
      const slash = path.lastIndexOf("/");
      return `${path.slice(0, slash + 1)}${WHITEOUT_PREFIX}${path.slice(slash + 1)}`;
    }
    default:
      return path;
  }
}
