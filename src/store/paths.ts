import { createHash } from "node:crypto";
import { type Digest, splitDigest } from "../oci/digest.ts";
import { blobName, LAYOUT_FILE } from "../oci/image-layout.ts";

/** Longest file name that we make; file systems allow 255 bytes, and a suffix for temporary names must fit. */
const MAX_NAME_LENGTH = 200;

/** Where everything is, below one root. Pure: nothing is looked at or made. */
export class StorePaths {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  /** Our own version file; see `format.ts`. */
  get format(): string {
    return `${this.root}/strake.json`;
  }
  get layout(): string {
    return `${this.root}/${LAYOUT_FILE}`;
  }
  get index(): string {
    return `${this.root}/index.json`;
  }
  /** Exists while index.json may be older than the image records. */
  get indexStale(): string {
    return `${this.root}/images/.index-stale`;
  }
  get images(): string {
    return `${this.root}/images`;
  }
  get snapshots(): string {
    return `${this.root}/snapshots`;
  }
  /** Which layer a blob is: one small file for each blob digest, holding the diffID. */
  get layersByBlob(): string {
    return `${this.root}/layers-by-blob`;
  }
  get parts(): string {
    return `${this.root}/parts`;
  }
  get temp(): string {
    return `${this.root}/tmp`;
  }
  get locks(): string {
    return `${this.root}/locks`;
  }
  get cache(): string {
    return `${this.root}/cache`;
  }

  blob(digest: Digest): string {
    return `${this.root}/${blobName(digest)}`;
  }

  /** The beginning of a blob whose download was broken off. */
  part(digest: Digest): string {
    return `${this.parts}/${digest.replace(":", "-")}`;
  }

  layer(diffId: Digest): string {
    return `${this.snapshots}/${splitDigest(diffId).hex}`;
  }

  layerOfBlob(blob: Digest): string {
    return `${this.layersByBlob}/${blob.replace(":", "-")}`;
  }

  imageRecord(reference: string): string {
    return `${this.images}/${fileNameOf(reference)}.json`;
  }

  lock(name: string): string {
    return `${this.locks}/${fileNameOf(name)}`;
  }
}

/** A file name that a person can read, one for each text: what file names can't have is percent-encoded. */
function fileNameOf(text: string): string {
  const encoded = encodeURIComponent(text).replaceAll("*", "%2A").replace(/^\./, "%2E");
  if (encoded.length <= MAX_NAME_LENGTH) return encoded;
  const hash = createHash("sha256").update(text).digest("hex");
  return `${encoded.slice(0, MAX_NAME_LENGTH - hash.length - 1)}~${hash}`;
}
