import { createCipheriv, createHash, randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import {
  type BlobOpener,
  type BlobSink,
  type BlobSource,
  type Descriptor,
  type Digest,
  digestOf,
  MEDIA_TYPES,
  OciError,
  verifyBlob,
} from "../../src/oci/index.ts";

/** Blobs in memory: the other end of pulls and pushes in tests. Verifies like a real store. */
export class MemoryBlobs implements BlobSource, BlobSink {
  readonly content = new Map<Digest, Uint8Array>();

  put(bytes: Uint8Array, mediaType: string): Descriptor {
    const digest = digestOf(bytes);
    this.content.set(digest, bytes);
    return { mediaType, digest, size: bytes.byteLength };
  }

  async openBlob({ digest }: Descriptor, { offset = 0 } = {}): Promise<AsyncIterable<Uint8Array>> {
    const bytes = this.content.get(digest);
    if (bytes === undefined) throw new OciError("BLOB_NOT_FOUND", `Cannot find blob "${digest}"`);
    return (async function* () {
      for (let at = offset; at < bytes.byteLength; at += 100_000) yield bytes.subarray(at, at + 100_000);
    })();
  }

  async hasBlob({ digest }: Descriptor): Promise<boolean> {
    return this.content.has(digest);
  }

  async writeBlob(descriptor: Descriptor, open: BlobOpener): Promise<void> {
    if (this.content.has(descriptor.digest)) return;
    const chunks: Uint8Array[] = [];
    for await (const chunk of verifyBlob(await open({ offset: 0 }), descriptor)) chunks.push(chunk);
    this.content.set(descriptor.digest, Buffer.concat(chunks));
  }
}

export interface MadeImage {
  readonly blobs: MemoryBlobs;
  readonly manifest: Descriptor;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

export interface MakeImageOptions {
  readonly layerSizes?: readonly number[];
  readonly architecture?: string;
  readonly blobs?: MemoryBlobs;
  /** Makes the layers the same for the same seed. */
  readonly seed?: string;
  /** Really compress the layers; they have other sizes then. */
  readonly gzip?: boolean;
  readonly subject?: Descriptor;
  readonly artifactType?: string;
}

/** An image with layers of random bytes: no registry looks inside. */
export function makeImage(options: MakeImageOptions = {}): MadeImage {
  const { layerSizes = [1000, 200_000], architecture = "amd64", blobs = new MemoryBlobs() } = options;
  // Tools look at the first bytes to tell how a layer is compressed, so it has to be true.
  const contents = layerSizes.map((size, i) =>
    options.seed === undefined ? randomBytes(size) : seededBytes(`${options.seed} ${i}`, size),
  );
  const layers = contents.map((bytes) =>
    options.gzip === true
      ? blobs.put(gzipSync(bytes), MEDIA_TYPES.ociLayerGzip)
      : blobs.put(bytes, MEDIA_TYPES.ociLayerGzip),
  );
  const diffIds = contents.map((bytes) => digestOf(bytes));
  const config = blobs.put(
    json({
      architecture,
      os: "linux",
      config: {},
      rootfs: { type: "layers", diff_ids: diffIds },
    }),
    MEDIA_TYPES.ociConfig,
  );
  const { subject, artifactType } = options;
  const document = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    artifactType,
    config,
    layers,
    subject,
  };
  const manifest = blobs.put(json(document), MEDIA_TYPES.ociManifest);
  return { blobs, manifest, config, layers };
}

/** An index of images, one for each architecture, whose blobs are all in one place. */
export function makeIndex(architectures: readonly string[]): MadeImage & { readonly index: Descriptor } {
  const blobs = new MemoryBlobs();
  const images = architectures.map((architecture) => ({
    architecture,
    image: makeImage({ architecture, blobs, layerSizes: [5000] }),
  }));
  const manifests = images.map(({ architecture, image }) => ({
    ...image.manifest,
    platform: { os: "linux", architecture },
  }));
  const index = blobs.put(
    json({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests }),
    MEDIA_TYPES.ociIndex,
  );
  const first = images[0];
  if (first === undefined) throw new Error("an index needs an image");
  return { ...first.image, index };
}

/** Bytes that do not compress, the same for the same seed. */
export function seededBytes(seed: string, size: number): Buffer {
  const key = createHash("sha256").update(seed).digest();
  return createCipheriv("aes-256-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(size));
}

export function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
