import type { ByteString } from "../../oci/layer-entry.ts";
import type { SourcedEntry } from "./types.ts";

/** The entry by which a layer hides what is below it: at `path`, or for "opaque" all that is in that folder. */
export function whiteoutEntry(kind: "whiteout" | "opaque", path: ByteString): SourcedEntry {
  return { mode: 0, uid: 0, gid: 0, mtimeSeconds: 0, size: 0, path, kind };
}
