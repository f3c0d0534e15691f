import type { BlobOpener, BlobSink, BlobSource } from "../oci/blob-source.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import type { Compression } from "../oci/media-types.ts";
import type { Platform } from "../oci/platform.ts";

/** What a tag in the store points at. One small JSON file for each name; written whole or not at all. */
export interface ImageRecord {
  /** The full name, `registry/repository:tag`, e.g. `docker.io/library/node:20`. */
  readonly reference: string;
  /** The digest of the image config. */
  readonly imageId: Digest;
  /** The manifest (of one platform), once its blobs exist: always after a pull, after a push or export of a build. */
  readonly manifest?: Descriptor;
  /** What the registry's tag named when that was an index (pulled images). */
  readonly index?: Descriptor;
  readonly platform: Platform;
  readonly createdAt: string;
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

/** Layers by diffID, in up to three forms: an unpacked snapshot, a plain tar, a (compressed) blob. */
export interface LayerStore {
  info(diffId: Digest): Promise<LayerInfo | undefined>;
  prepareSnapshot(): Promise<PendingSnapshot>;
  prepareTar(): Promise<PendingTar>;
  /** Notes that `blob` is the layer `diffId`; merged with what is known. Digest of the content is checked on unpacking. */
  noteBlob(diffId: Digest, blob: Descriptor, origin?: string): Promise<void>;
  /**
   * The folder of the unpacked layer in overlay form (whiteouts as character devices 0/0, `user.overlay.opaque`),
   * unpacking it first, with diffID verification, from the tar or the blob when needed. Equal calls share one unpacking,
   * also between processes.
   * @throws {StoreError} LAYER_NOT_FOUND when no form of it has its bytes here (fetch the blob, then call again)
   */
  ensureSnapshot(diffId: Digest, options?: { readonly signal?: AbortSignal | undefined }): Promise<string>;
  /** The uncompressed canonical tar, from whatever form is here. */
  openTar(
    diffId: Digest,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<AsyncIterable<Uint8Array>>;
  /** The blob of the layer, compressed now (all cores) unless its bytes are here already. Kept for the next time. */
  ensureBlob(
    diffId: Digest,
    options?: {
      readonly compression?: Compression;
      readonly level?: number;
      readonly signal?: AbortSignal | undefined;
    },
  ): Promise<Descriptor>;
}

/** Names to images. */
export interface ImageStore {
  /** By full name, or by image ID (whole digest or a unique prefix of at least 4 hex digits). */
  find(name: string): Promise<ImageRecord | undefined>;
  list(): Promise<readonly ImageRecord[]>;
  put(record: ImageRecord): Promise<void>;
  /** Removes a name; blobs and layers stay until collected. Returns false when there was none. */
  remove(reference: string): Promise<boolean>;
}

/** Blobs in the OCI layout (`blobs/sha256/…`). */
export interface BlobStore extends BlobSource, BlobSink {
  /** A small blob (manifest, config) whole, verified. @throws {OciError} BLOB_NOT_FOUND, BLOB_CORRUPT */
  readBlob(digest: Digest, options?: { readonly maxBytes?: number }): Promise<Uint8Array>;
  /** Stores bytes held in memory; returns their descriptor. */
  putBytes(content: Uint8Array, mediaType: string): Promise<Descriptor>;
  writeBlob(
    descriptor: Descriptor,
    open: BlobOpener,
    options?: { readonly signal?: AbortSignal | undefined; readonly onBytes?: (count: number) => void },
  ): Promise<void>;
  /** Where a blob's bytes are; for readers that want a file (a parallel reader, sendfile). */
  blobPath(digest: Digest): string;
}
