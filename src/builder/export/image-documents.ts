import {
  type Compression,
  type Descriptor,
  type Digest,
  type ImageConfig,
  type ImageIndex,
  type ImageManifest,
  MEDIA_TYPES,
  type Platform,
} from "../../oci/index.ts";
import type { BuildStore } from "../collaborators.ts";
import type { LayerAccess } from "../solve/layer-access.ts";

/** A platform's image, its config in the store. */
export interface BuiltImage {
  readonly platform: Platform;
  readonly config: ImageConfig;
  readonly configDescriptor: Descriptor;
  /** How many of its layers, from the bottom, are the base image's. */
  readonly baseLayers: number;
  /** SOURCE_DATE_EPOCH, where it was given. */
  readonly epochSeconds: number | undefined;
}

/** Annotations by where they go, in buildx's terms. */
export interface AnnotationSet {
  readonly manifest: Readonly<Record<string, string>>;
  readonly index: Readonly<Record<string, string>>;
  readonly manifestDescriptor: Readonly<Record<string, string>>;
  readonly indexDescriptor: Readonly<Record<string, string>>;
}

export interface ManifestOptions {
  readonly compression?: Compression;
  readonly level?: number;
  readonly annotations: AnnotationSet;
}

/** Stores a config; its digest is the image ID. */
export async function putConfig(store: BuildStore, config: ImageConfig): Promise<Descriptor> {
  return store.blobs.putBytes(encodeDocument(config), MEDIA_TYPES.ociConfig);
}

/** Makes the manifest of a built image, which needs every layer's blob, and stores it. */
export async function putManifest(
  image: Pick<BuiltImage, "config" | "configDescriptor">,
  {
    store,
    layers,
  }: { readonly store: Pick<BuildStore, "blobs">; readonly layers: Pick<LayerAccess, "blob"> },
  options: ManifestOptions,
): Promise<{ readonly descriptor: Descriptor; readonly manifest: ImageManifest }> {
  const compression = {
    ...(options.compression === undefined ? {} : { compression: options.compression }),
    ...(options.level === undefined ? {} : { level: options.level }),
  };
  const blobs: Descriptor[] = [];
  // One after the other: each uses all cores while it compresses.
  for (const diffId of image.config.rootfs.diff_ids) blobs.push(await layers.blob(diffId, compression));
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: image.configDescriptor,
    layers: blobs.map(({ mediaType, digest, size }) => ({ mediaType: asOciLayer(mediaType), digest, size })),
    ...annotationsMember(options.annotations.manifest),
  };
  const descriptor = await store.blobs.putBytes(encodeDocument(manifest), MEDIA_TYPES.ociManifest);
  return {
    manifest,
    descriptor: { ...descriptor, ...annotationsMember(options.annotations.manifestDescriptor) },
  };
}

/** Makes and stores the index over the images of several platforms. */
export async function putIndex(
  store: BuildStore,
  manifests: readonly (Descriptor & { readonly platform: Platform })[],
  annotations: AnnotationSet,
): Promise<Descriptor> {
  const index: ImageIndex = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociIndex,
    manifests,
    ...annotationsMember(annotations.index),
  };
  const descriptor = await store.blobs.putBytes(encodeDocument(index), MEDIA_TYPES.ociIndex);
  return { ...descriptor, ...annotationsMember(annotations.indexDescriptor) };
}

/** JSON bytes as they are stored and hashed. */
export function encodeDocument(value: object): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

export function annotationsMember(annotations: Readonly<Record<string, string>>): {
  readonly annotations?: Readonly<Record<string, string>>;
} {
  return Object.keys(annotations).length === 0 ? {} : { annotations };
}

/** An OCI manifest names its layers by OCI's types, also those that came from an image of Docker's types. */
function asOciLayer(mediaType: string): string {
  switch (mediaType) {
    case MEDIA_TYPES.dockerLayer:
      return MEDIA_TYPES.ociLayer;
    case MEDIA_TYPES.dockerLayerGzip:
      return MEDIA_TYPES.ociLayerGzip;
    default:
      return mediaType;
  }
}

/** Digests of all blobs that a manifest names, config first, each once. */
export function blobsOf(manifest: ImageManifest): readonly Descriptor[] {
  const seen = new Map<Digest, Descriptor>();
  for (const blob of [manifest.config, ...manifest.layers])
    if (!seen.has(blob.digest)) seen.set(blob.digest, blob);
  return [...seen.values()];
}
