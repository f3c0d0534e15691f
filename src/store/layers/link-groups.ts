import type { ByteString } from "../../oci/layer-entry.ts";
import type { SourcedEntry } from "./types.ts";

/** Finds the names of one file among entries that come in order: the first has the content, the others link to it. */
export class LinkGroups {
  readonly #first = new Map<string, ByteString>();

  /** `id` is equal for names of one file, undefined where there is only one. */
  join(entry: SourcedEntry, id: string | undefined): SourcedEntry {
    if (id === undefined) return entry;
    const first = this.#first.get(id);
    if (first === undefined) {
      this.#first.set(id, entry.path);
      return entry;
    }
    const { path, mode, uid, gid, mtimeSeconds } = entry;
    return { path, kind: "hardlink", mode, uid, gid, mtimeSeconds, size: 0, link: first };
  }
}
