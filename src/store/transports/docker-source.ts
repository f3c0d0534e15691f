import { randomUUID } from "node:crypto";
import type { BlobBytes, BlobSource, OpenBlobOptions } from "../../oci/blob-source.ts";
import { bytesOnce } from "../../oci/bytes-once.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { createHasher, type Digest, digestOf } from "../../oci/digest.ts";
import { OciError } from "../../oci/error.ts";
import type { ImageManifest } from "../../oci/manifest.ts";
import { type FetchedDocument, type ManifestSource, readDocument } from "../../oci/manifest-source.ts";
import { MEDIA_TYPES, ociLayerType } from "../../oci/media-types.ts";
import { readChunks } from "../blobs/read-chunks.ts";
import { decompress } from "../compress/decompress.ts";
import type { DockerImage, DockerLayer } from "./docker-manifest.ts";
import { TransportError } from "./error.ts";
import type { FileSet } from "./file-set.ts";
import { gzipToFile, watching } from "./gzip-file.ts";

/** A blob of the image as it will be: its bytes in a file of the archive, or compressed in a temporary file. */
type Blob =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "archived"; readonly name: string }
  | { readonly kind: "file"; readonly path: string };

/**
 * An image of a `docker save` archive as a registry wants it: with a manifest, and with its layers compressed, always to
 * the same bytes. The config, and so the image ID, stays. Every layer is compared with its diffID on the way.
 */
export class DockerSource implements BlobSource, ManifestSource {
  readonly #files: FileSet;
  readonly #blobs: ReadonlyMap<Digest, Blob>;
  readonly #document: FetchedDocument;

  private constructor(files: FileSet, blobs: ReadonlyMap<Digest, Blob>, document: FetchedDocument) {
    this.#files = files;
    this.#blobs = blobs;
    this.#document = document;
  }

  /**
   * Compresses what is not compressed into files of the temporary folder, which the caller removes.
   * @throws {TransportError} ARCHIVE_INVALID when a layer is not what the config says
   */
  static async open(
    files: FileSet,
    image: DockerImage,
    options: {
      readonly tempFolder: () => string;
      readonly signal?: AbortSignal | undefined;
      /** Told before a layer is compressed. */
      readonly onLayer?: (layer: DockerLayer) => void;
    },
  ): Promise<DockerSource> {
    const blobs = new Map<Digest, Blob>();
    const layers: Descriptor[] = [];
    const done = new Map<string, Descriptor>();
    for (const layer of image.layers) {
      const known = done.get(`${layer.name} ${layer.diffId}`);
      if (known === undefined) options.onLayer?.(layer);
      const descriptor = known ?? (await addLayer(files, layer, { ...options, blobs }));
      done.set(`${layer.name} ${layer.diffId}`, descriptor);
      layers.push(descriptor);
    }
    const config: Descriptor = {
      mediaType: MEDIA_TYPES.ociConfig,
      digest: image.imageId,
      size: image.configBytes.byteLength,
    };
    blobs.set(config.digest, { kind: "bytes", bytes: image.configBytes });
    const manifest: ImageManifest = {
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      config,
      layers,
    };
    const bytes = Buffer.from(JSON.stringify(manifest));
    const digest = digestOf(bytes);
    return new DockerSource(
      files,
      blobs,
      readDocument(bytes, { mediaType: MEDIA_TYPES.ociManifest, digest }),
    );
  }

  /** The manifest's digest. */
  get digest(): Digest {
    return this.#document.descriptor.digest;
  }

  async fetchManifest(name: string): Promise<FetchedDocument> {
    if (name === this.digest) return this.#document;
    throw new OciError("BLOB_NOT_FOUND", `Cannot find manifest "${name}" in "${this.#files.shown}"`);
  }

  async openBlob(
    { digest }: Descriptor,
    { offset = 0, transient = false, signal }: OpenBlobOptions = {},
  ): Promise<BlobBytes> {
    const blob = this.#blobs.get(digest);
    switch (blob?.kind) {
      case "bytes":
        return bytesOnce(blob.bytes.subarray(offset));
      case "archived":
        return this.#files.open(blob.name, { offset, transient, signal });
      case "file":
        return readChunks(blob.path, { offset, transient, signal });
      default:
        throw new OciError("BLOB_NOT_FOUND", `Cannot find blob "${digest}" in "${this.#files.shown}"`);
    }
  }
}

async function addLayer(
  files: FileSet,
  layer: DockerLayer,
  {
    blobs,
    tempFolder,
    signal,
  }: {
    readonly blobs: Map<Digest, Blob>;
    readonly tempFolder: () => string;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<Descriptor> {
  const { name, diffId, compression } = layer;
  const stored = files.open(name, { signal });
  if (compression !== "none") {
    const blobHash = createHasher();
    await checkDiffId(decompress(watching(stored, blobHash)), layer, files.shown);
    const digest = blobHash.digest();
    blobs.set(digest, { kind: "archived", name });
    return { mediaType: ociLayerType(compression), digest, size: layer.size };
  }
  const tarHash = createHasher();
  const path = `${tempFolder()}/layer-${randomUUID()}`;
  const { digest, size } = await gzipToFile(watching(stored, tarHash), path, { signal });
  const found = tarHash.digest();
  if (found !== diffId) throw wrongLayer(files.shown, layer, found);
  blobs.set(digest, { kind: "file", path });
  return { mediaType: MEDIA_TYPES.ociLayerGzip, digest, size };
}

async function checkDiffId(tar: AsyncIterable<Uint8Array>, layer: DockerLayer, shown: string): Promise<void> {
  const hasher = createHasher();
  for await (const chunk of tar) hasher.update(chunk);
  const found = hasher.digest();
  if (found !== layer.diffId) throw wrongLayer(shown, layer, found);
}

/** A layer whose bytes do not have the digest that the image's config gives. */
export function wrongLayer(shown: string, { name, diffId }: DockerLayer, found?: string): TransportError {
  const is = found === undefined ? "its bytes are" : `it is "${found}",`;
  return new TransportError(
    "ARCHIVE_INVALID",
    `Cannot use layer "${name}" of "${shown}": ${is} not the "${diffId}" that the image's config names`,
  );
}
