import type { BlobOpener, BlobSink, BlobSource } from "../oci/blob-source.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import type { GrowingBlob } from "../oci/growing-blob.ts";
import type { ImageConfig } from "../oci/image-config.ts";
import type { ImageManifest } from "../oci/manifest.ts";
import type { Compression } from "../oci/media-types.ts";
import type { Platform } from "../oci/platform.ts";
import type { BlobPart } from "./blobs/part-file.ts";

/** What a tag in the store points at. One small JSON file for each name; written whole or not at all. */
export interface ImageRecord {
  /**
   * The full name, `registry/repository:tag`, e.g. `docker.io/library/node:20`. An image without a name has its
   * image ID here.
   */
  readonly reference: string;
  /** The digest of the image config. */
  readonly imageId: Digest;
  /** The manifest (of one platform), once its blobs exist: always after a pull, after a push or export of a build. */
  readonly manifest?: Descriptor;
  /** What the registry's tag named when that was an index (pulled images), or the index that was made here. */
  readonly index?: Descriptor;
  /**
   * The images of `index` when it was made here: then all of them are. `imageId`, `manifest` and `platform` are those of
   * the first. See `imagesOf`, `imageFor` and `idOf`.
   */
  readonly images?: readonly PlatformImage[];
  readonly platform: Platform;
  /** When the name got this image. RFC 3339, UTC. */
  readonly createdAt: string;
}

/** One platform's image of an index. */
export interface PlatformImage {
  readonly imageId: Digest;
  readonly manifest: Descriptor;
  readonly platform: Platform;
}

/** In which forms the store has a layer. */
export interface LayerInfo {
  readonly diffId: Digest;
  /** Bytes of the uncompressed tar, where known. */
  readonly tarSize?: number;
  /** The compressed (or plain) blob: what a manifest lists. Its bytes may not be in the store (a lazy base image). */
  readonly blob?: Descriptor;
  /** Where the blob can be fetched from when its bytes are not here: `registry/repository` names. */
  readonly origins?: readonly string[];
  /** Identity of the layer's tree without times; see cache keys. Known for layers built here. */
  readonly treeId?: Digest;
  readonly hasSnapshot: boolean;
  readonly hasTar: boolean;
  /** Whether the bytes of `blob` are here. */
  readonly hasBlob: boolean;
}

/** A file-system state being made. Disposing discards it unless it was committed; both are idempotent. */
export interface PendingSnapshot extends AsyncDisposable {
  /** The overlay's upper folder: empty at first, mode 0755, owner 0:0. */
  readonly upper: string;
  /** The overlay's work folder, on the same file system. */
  readonly work: string;
  /**
   * Makes it the snapshot of `diffId`. If the store already has one for that diffID this one is discarded.
   * Returns the folder.
   */
  commit(layer: {
    readonly diffId: Digest;
    readonly tarSize: number;
    readonly treeId?: Digest;
  }): Promise<string>;
}

/** A layer's tar being written. Disposing discards it unless it was committed. */
export interface PendingTar extends AsyncDisposable {
  write(chunk: Uint8Array): Promise<void> | void;
  /** Syncs and makes it the tar form of the layer whose diffID the written bytes have; returns diffID and size. */
  commit(details?: {
    readonly treeId?: Digest;
  }): Promise<{ readonly diffId: Digest; readonly tarSize: number }>;
}

/** How `ensureBlob` compresses. Everything has a default. */
export interface EnsureBlobOptions {
  /** A blob compressed otherwise does not do. When absent any blob that is here does; a new one is made with gzip. */
  readonly compression?: Compression;
  /** gzip: 0 to 9. zstd: 1 to 22. A blob made here with another level does not do. */
  readonly level?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Layers by diffID, in up to three forms: an unpacked snapshot, a plain tar, a (compressed) blob. */
export interface LayerStore {
  info(diffId: Digest): Promise<LayerInfo | undefined>;
  prepareSnapshot(): Promise<PendingSnapshot>;
  prepareTar(): Promise<PendingTar>;
  /** Notes that `blob` is the layer `diffId`; merged with what is known. Digest of the content is checked on unpacking. */
  noteBlob(diffId: Digest, blob: Descriptor, origin?: string): Promise<void>;
  /** The layer that a blob was found to be, where known. */
  diffIdOf(blob: Digest): Promise<Digest | undefined>;
  /**
   * The folder of the unpacked layer in overlay form (whiteouts as character devices 0/0, `user.overlay.opaque`),
   * unpacking it first, with diffID verification, from the tar or the blob when needed. Equal calls share one unpacking,
   * also between processes.
   * @throws {StoreError} LAYER_NOT_FOUND when no form of it has its bytes here (fetch the blob, then call again);
   * LAYER_CORRUPT when the bytes are no layer or not that one; DISK_FULL, STORE_NOT_WRITABLE
   */
  ensureSnapshot(diffId: Digest, options?: { readonly signal?: AbortSignal | undefined }): Promise<string>;
  /**
   * The unpacked layers of an image, in the order of `diffIds`: lowest first. Use this rather than `ensureSnapshot` for
   * anything that will be stacked: a few layers (with entries in folders that they don't have, or hard links to lower
   * layers' files) mean something else on top of others, and get a folder of their own for this stack.
   * @throws {StoreError} as `ensureSnapshot`
   */
  ensureStack(
    diffIds: readonly Digest[],
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<readonly string[]>;
  /**
   * Keeps the layer from being removed until this store is closed; false when it is unknown. Layers whose folders were
   * handed out, or that were made here, are held already.
   */
  hold(diffId: Digest): Promise<boolean>;
  /**
   * The uncompressed canonical tar, from whatever form is here. The end of the iteration is the promise that the
   * bytes have the diffID.
   * @throws {StoreError} LAYER_NOT_FOUND; while iterating LAYER_CORRUPT
   */
  openTar(
    diffId: Digest,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<AsyncIterable<Uint8Array>>;
  /**
   * The blob of the layer, compressed now (all cores) unless its bytes are here already. Kept for the next time.
   * @throws {StoreError} LAYER_NOT_FOUND, LAYER_CORRUPT, COMPRESSION_UNAVAILABLE, DISK_FULL
   */
  ensureBlob(diffId: Digest, options?: EnsureBlobOptions): Promise<Descriptor>;
  /**
   * From now on `listener` is told of each blob that `ensureBlob` begins to make here, so that others can read it while it
   * is made. Ends when the result is disposed of.
   */
  watchBlobs(listener: (blob: GrowingBlob, layer: LayerInfo | undefined) => void): Disposable;
  /** Every layer that something is known of, in no order. */
  list(): AsyncIterable<LayerInfo>;
  /**
   * Forgets a layer: its snapshot, its tar and what is known of it. Its blobs stay. Returns false when there was none, or
   * when a process holds it.
   */
  remove(diffId: Digest): Promise<boolean>;
}

/** What an image consists of, read from its documents. */
export interface ImageDescription {
  readonly record: ImageRecord;
  readonly config: ImageConfig;
  readonly configBytes: Uint8Array;
  /** Where it exists (see `ImageRecord.manifest`). */
  readonly manifest?: ImageManifest;
  readonly manifestBytes?: Uint8Array;
  /** Lowest first. */
  readonly layers: readonly ImageLayer[];
  /** Bytes of the layers' tars, as far as they are known. */
  readonly unpackedSize: number;
  /** Bytes of the blobs that the manifest lists, the config included; undefined without a manifest. */
  readonly compressedSize?: number;
}

export interface ImageLayer {
  readonly diffId: Digest;
  /** As the manifest lists it. */
  readonly blob?: Descriptor;
  /** What the store has of it. */
  readonly info?: LayerInfo;
}

/** Names to images. */
export interface ImageStore {
  /**
   * By full name, or by image ID (whole digest or a unique prefix of at least 4 hex digits, `sha256:` or not).
   * @throws {StoreError} IMAGE_AMBIGUOUS
   */
  find(name: string): Promise<ImageRecord | undefined>;
  /** Sorted by reference. A record that can't be read is left out. */
  list(): Promise<readonly ImageRecord[]>;
  /**
   * Returns when the image is on the disk: its record, its documents, and its line in index.json. Where the name has this
   * very image already, its `createdAt` stays, and so does a manifest that the new record lacks; if that leaves nothing to
   * change, nothing is written.
   */
  put(record: ImageRecord): Promise<void>;
  /** Removes a name; blobs and layers stay until collected. Returns false when there was none. */
  remove(reference: string): Promise<boolean>;
  /**
   * Reads an image's documents.
   * @throws {OciError} BLOB_NOT_FOUND, BLOB_CORRUPT, DOCUMENT_INVALID
   */
  describe(record: ImageRecord): Promise<ImageDescription>;
}

export interface WriteBlobOptions {
  readonly signal?: AbortSignal | undefined;
  /**
   * Bytes that arrived since the last call. The first call counts what an earlier run left here; a negative count
   * takes back what turned out to be wrong.
   */
  readonly onBytes?: (count: number) => void;
}

/** Blobs in the OCI layout (`blobs/sha256/…`). */
export interface BlobStore extends BlobSource, BlobSink {
  /** A small blob (manifest, config) whole, verified. @throws {OciError} BLOB_NOT_FOUND, BLOB_CORRUPT */
  readBlob(digest: Digest, options?: { readonly maxBytes?: number }): Promise<Uint8Array>;
  /** Stores bytes held in memory; returns their descriptor. */
  putBytes(content: Uint8Array, mediaType: string): Promise<Descriptor>;
  /**
   * Takes a blob in. Large ones go through a part file: what arrived is kept when the source breaks off or the process
   * dies, and `open` is asked for the rest only. Two writers of one blob: the second waits for the first.
   */
  writeBlob(descriptor: Descriptor, open: BlobOpener, options?: WriteBlobOptions): Promise<void>;
  /**
   * For a writer that decides itself what to ask for: the blob as far as it is here, locked for us. Undefined when the
   * blob is here whole.
   */
  openPart(
    descriptor: Descriptor,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<BlobPart | undefined>;
  /** The blob's size on disk, undefined when it is not here. */
  statBlob(digest: Digest): Promise<{ readonly size: number } | undefined>;
  listBlobs(): AsyncIterable<{ readonly digest: Digest; readonly size: number }>;
  /** Removes a blob; what refers to it is not looked at. Returns false when there was none. */
  removeBlob(digest: Digest): Promise<boolean>;
  /** Brings everything written so far onto the disk; `ImageStore.put` does it. */
  sync(): Promise<void>;
  /** Where a blob's bytes are; for readers that want a file (a parallel reader, sendfile). */
  blobPath(digest: Digest): string;
}
