export { parseReference, type Reference } from "../oci/index.ts";
export type { PushBlobResult } from "./blobs/push-types.ts";
export type { PushOptions } from "./blobs/repository-uploads.ts";
export { RegistryClient, type RegistryClientOptions } from "./client.ts";
export type { Clock } from "./clock.ts";
export {
  type CredentialFilePath,
  type CredentialLocations,
  createFileCredentials,
  credentialFiles,
} from "./credentials/file-source.ts";
export {
  type CredentialStoreOptions,
  removeCredentials,
  type StoredIn,
  storeCredentials,
} from "./credentials/store-credentials.ts";
export type { CredentialSource, Credentials } from "./credentials/types.ts";
export {
  RegistryError,
  type RegistryErrorCode,
  type RegistryErrorDetails,
  type RegistryErrorEntry,
} from "./error.ts";
export type { BlobContext, OnRegistryEvent, RegistryEvent } from "./events.ts";
export { certsRoots } from "./hosts/certs-d.ts";
export { createDefaultHosts, type DefaultHostsOptions } from "./hosts/default-hosts.ts";
export { createHostConfigs, type HostConfigOptions, type MirrorAddress } from "./hosts/host-configs.ts";
export {
  type ChooseProxy,
  createProxyRules,
  type ProxySettings,
  proxySettings,
} from "./hosts/proxy-rules.ts";
export { createSystemCa } from "./hosts/system-ca.ts";
export type { Endpoint, HostConfig, HostConfigSource, Mirror, TlsConfig } from "./hosts/types.ts";
export {
  type ArtifactEntry,
  type ArtifactListing,
  listArtifactFiles,
  UNPACK,
  UNPACKED_DIGEST,
} from "./images/artifact-files.ts";
export { type ConvertedTree, convertTree } from "./images/convert-tree.ts";
export { type Conversion, type CopyImageOptions, copyImage } from "./images/copy-image.ts";
export { describeConversion } from "./images/describe-conversion.ts";
export { type DocumentTree, manifestDocument, readTree, rebuildTree } from "./images/document-tree.ts";
export { fetchArtifact } from "./images/fetch-artifact.ts";
export { fetchSmallBlob } from "./images/fetch-document.ts";
export { fetchImageMetadata } from "./images/fetch-image-metadata.ts";
export {
  type ArtifactContents,
  type ArtifactFile,
  type PackedArtifact,
  packArtifact,
} from "./images/pack-artifact.ts";
export { pullContents, pullImage } from "./images/pull-image.ts";
export { type PushArtifactOptions, pushArtifact } from "./images/push-artifact.ts";
export { pushImage } from "./images/push-image.ts";
export { removeTag } from "./images/remove-tag.ts";
export type {
  FetchedDocument,
  FetchedIndex,
  FetchedManifest,
  FetchMetadataOptions,
  ImageMetadata,
  ManifestSink,
  ManifestSource,
  PullImageOptions,
  PushedImage,
  PushImageOptions,
} from "./images/types.ts";
export type { DeletionPlan } from "./manifests/plan-deletion.ts";
export { runParallel } from "./parallel.ts";
export type { RateLimit } from "./rate-limit.ts";
export { Repository } from "./repository.ts";
export { type EnvironmentOptions, settingsFromEnvironment } from "./settings.ts";
