import { bytesOnce } from "../../oci/bytes-once.ts";
import {
  type BlobBytes,
  type BlobOpener,
  type BlobSource,
  type Descriptor,
  type Digest,
  type FetchedDocument,
  type ManifestSource,
  OciError,
  type OpenBlobOptions,
} from "../../oci/index.ts";
import type { EditedTree } from "./edit-tree.ts";

/** An edited image to be copied: its new documents, and everything else from where it is. */
export class EditedImage implements ManifestSource, BlobSource {
  readonly #documents: ReadonlyMap<string, FetchedDocument>;
  readonly #configs: ReadonlyMap<Digest, Uint8Array>;
  readonly #source: BlobSource;
  readonly #blobs: ReadonlyMap<Digest, BlobOpener>;

  /** @param blobs what was not in the image before, by digest: layers that were added, those of a new base */
  constructor(
    { tree, changes }: Pick<EditedTree, "tree" | "changes">,
    source: BlobSource,
    blobs: ReadonlyMap<Digest, BlobOpener>,
  ) {
    const { root, manifests, indexes } = tree;
    this.#documents = new Map(
      [root, ...manifests, ...indexes].map((document) => [document.descriptor.digest, document]),
    );
    this.#configs = new Map(
      changes.map(({ after, configAfter }) => [after.manifest.config.digest, configAfter]),
    );
    this.#source = source;
    this.#blobs = blobs;
  }

  async fetchManifest(name: string): Promise<FetchedDocument> {
    const document = this.#documents.get(name);
    if (document === undefined)
      throw new OciError("BLOB_NOT_FOUND", `Cannot find manifest "${name}" in the edited image`);
    return document;
  }

  async openBlob(descriptor: Descriptor, options: OpenBlobOptions = {}): Promise<BlobBytes> {
    const { digest } = descriptor;
    const config = this.#configs.get(digest);
    if (config !== undefined) return bytesOnce(config.subarray(options.offset ?? 0));
    const open = this.#blobs.get(digest);
    if (open === undefined) return await this.#source.openBlob(descriptor, options);
    return await open({ ...options, offset: options.offset ?? 0 });
  }
}
