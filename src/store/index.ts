export type { BlobPart } from "./blobs/part-file.ts";
export { readChunks } from "./blobs/read-chunks.ts";
export { decompress } from "./compress/decompress.ts";
export { type Machine, thisMachine } from "./disk/machine.ts";
export { removeTree } from "./disk/remove-tree.ts";
export { StoreError, type StoreErrorCode } from "./error.ts";
export { idOf, imageFor, imagesOf, isNamed, type NamedImage, withImage } from "./images/index.ts";
export type { Lease, LockOptions } from "./locks/lock-table.ts";
export { type OpenStoreOptions, Store } from "./store.ts";
export type {
  BlobStore,
  EnsureBlobOptions,
  ImageDescription,
  ImageLayer,
  ImageRecord,
  ImageStore,
  LayerInfo,
  LayerStore,
  PendingSnapshot,
  PendingTar,
  PlatformImage,
  WriteBlobOptions,
} from "./types.ts";
