export { artifactTypeOf, referrerDescriptor } from "./artifact-type.ts";
export type {
  BlobBytes,
  BlobOpener,
  BlobSink,
  BlobSource,
  FileBytes,
  OpenBlobOptions,
} from "./blob-source.ts";
export { computeChainIds } from "./chain-id.ts";
export {
  type ChoosePlatformOptions,
  choosePlatform,
  isAttestation,
  listPlatforms,
  rankPlatform,
} from "./choose-platform.ts";
export {
  convertIndex,
  convertManifest,
  isImageManifest,
  type LostInFormat,
  lostOf,
  pointAt,
  withoutStale,
} from "./convert-document.ts";
export { decodeImageConfig, MAX_CONFIG_BYTES } from "./decode-image-config.ts";
export {
  decodeDescriptor,
  decodeIndex,
  decodeManifest,
  decodeManifestDocument,
  MAX_MANIFEST_BYTES,
  type ManifestDocument,
} from "./decode-manifest.ts";
export type { Descriptor } from "./descriptor.ts";
export {
  createHasher,
  type Digest,
  type DigestAlgorithm,
  digestFault,
  digestOf,
  type Hasher,
  isDigest,
  parseDigest,
  shortDigest,
  splitDigest,
} from "./digest.ts";
export { OciError, type OciErrorCode } from "./error.ts";
export { followPlatform } from "./follow-platform.ts";
export type { GrowingBlob } from "./growing-blob.ts";
export type { Healthcheck, HistoryEntry, ImageConfig, RuntimeConfig } from "./image-config.ts";
export { documentTypeIn, formatOf, type ImageFormat, layerTypeIn } from "./image-format.ts";
export {
  type ByteString,
  fromByteString,
  type LayerEntry,
  type LayerEntryKind,
  toByteString,
} from "./layer-entry.ts";
export type { ImageIndex, ImageManifest } from "./manifest.ts";
export {
  type FetchedDocument,
  type FetchedIndex,
  type FetchedManifest,
  type ManifestSink,
  type ManifestSource,
  readDocument,
} from "./manifest-source.ts";
export {
  type Compression,
  isImageConfigType,
  isIndexType,
  isManifestType,
  layerCompression,
  MEDIA_TYPES,
  ociLayerType,
} from "./media-types.ts";
export {
  formatPlatform,
  hostPlatform,
  isSamePlatform,
  normalizePlatform,
  type Platform,
  parsePlatform,
} from "./platform.ts";
export {
  type AnyReference,
  DOCKER_HUB,
  formatFamiliarName,
  formatFamiliarReference,
  formatReference,
  parseAnyReference,
  parseReference,
  type Reference,
  withDefaultTag,
  withoutShadowedTag,
} from "./reference.ts";
export { verifyBlob, verifyBytes } from "./verify-blob.ts";
