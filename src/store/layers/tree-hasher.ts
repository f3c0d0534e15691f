import { createHasher, type Digest } from "../../oci/digest.ts";
import type { LayerEntry } from "../../oci/layer-entry.ts";

/** Version of the encoding below: a change of it changes every treeId, and with them every cache key built on one. */
const FORMAT = "strake-tree-2";

/**
 * Computes a treeId from canonical entries in their order: everything about them but the times that only say when the
 * layer was made. A time from before the making was set on purpose (`touch -d`, an archive, a copy of a file) and counts.
 */
export class TreeHasher {
  readonly #hasher = createHasher();
  readonly #recentSinceSeconds: number;
  #pending = `${FORMAT}\0`;

  /** @param recentSinceSeconds times at or after this do not count; by default none does */
  constructor(recentSinceSeconds: number = Number.NEGATIVE_INFINITY) {
    this.#recentSinceSeconds = recentSinceSeconds;
  }

  /** `digest` is that of a file's content, and "" for everything else. */
  add(entry: LayerEntry, digest: Digest | ""): void {
    const { path, kind, mode, uid, gid, size, link = "", major = 0, minor = 0, mtimeSeconds } = entry;
    const time =
      mtimeSeconds >= this.#recentSinceSeconds || kind === "whiteout" || kind === "opaque"
        ? ""
        : mtimeSeconds;
    // Paths and names have no NUL, so the fields cannot run into each other; xattr values are written in hex.
    this.#pending +=
      `${path}\0${kind}\0${mode.toString(8)}\0${uid}\0${gid}\0${size}\0${link}\0${major}:${minor}\0` +
      `${encodeXattrs(entry)}${digest}\0${time}\0\n`;
    if (this.#pending.length > 65536) this.#flush();
  }

  digest(): Digest {
    this.#flush();
    return this.#hasher.digest();
  }

  #flush(): void {
    this.#hasher.update(Buffer.from(this.#pending, "latin1"));
    this.#pending = "";
  }
}

function encodeXattrs({ xattrs }: LayerEntry): string {
  if (xattrs === undefined) return "0\0";
  let text = `${xattrs.size}\0`;
  for (const name of [...xattrs.keys()].sort()) {
    text += `${name}\0${Buffer.from(xattrs.get(name) as Uint8Array).toString("hex")}\0`;
  }
  return text;
}
