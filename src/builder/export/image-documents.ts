import {
  type Compression,
  type Descriptor,
  type Digest,
  type ImageConfig,
  type ImageIndex,
  type ImageManifest,
  layerCompression,
  layerTypeIn,
  MEDIA_TYPES,
  type Platform,
} from "../../oci/index.ts";
import type { BuildStore } from "../collaborators.ts";
import { BuildError } from "../error.ts";
import type { AnnotationSet } from "./annotations.ts";

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

export interface ManifestOptions {
  /** For the layers that the build made. */
  readonly compression?: Compression;
  readonly level?: number;
  /** Compress the base image's layers anew, too. */
  readonly force?: boolean;
  /** Docker's media types instead of OCI's. */
  readonly isDocker?: boolean;
  /** Layers of base images that nobody has read yet may stay where they are. */
  readonly lazy?: boolean;
  readonly annotations: AnnotationSet;
}

/** Where layers come from as blobs. `lazy`: the bytes may be missing, the descriptor is enough. */
export interface LayerBlobs {
  blob(
    diffId: Digest,
    options: { readonly compression?: Compression; readonly level?: number; readonly lazy?: boolean },
  ): Promise<Descriptor>;
}

/** Stores a config; its digest is the image ID. */
export async function putConfig(store: BuildStore, config: ImageConfig): Promise<Descriptor> {
  return store.blobs.putBytes(encodeDocument(config), MEDIA_TYPES.ociConfig);
}

/** Makes the manifest of a built image, which needs every layer's blob, and stores it. */
export async function putManifest(
  image: Pick<BuiltImage, "config" | "configDescriptor"> & Partial<Pick<BuiltImage, "baseLayers">>,
  { store, layers }: { readonly store: Pick<BuildStore, "blobs">; readonly layers: LayerBlobs },
  options: ManifestOptions,
): Promise<{ readonly descriptor: Descriptor; readonly manifest: ImageManifest }> {
  const { compression, level, force = false, isDocker = false, lazy = false } = options;
  if (isDocker && compression === "zstd") {
    throw new BuildError(
      "UNSUPPORTED",
      "Cannot compress with zstd: Docker's media types have no such layers",
      {
        hint: "Drop oci-mediatypes=false",
      },
    );
  }
  const asked = {
    ...(compression === undefined ? {} : { compression }),
    ...(level === undefined ? {} : { level }),
  };
  const blobs: Descriptor[] = [];
  // One after the other: each uses all cores while it compresses.
  for (const [index, diffId] of image.config.rootfs.diff_ids.entries()) {
    const isMade = index >= (image.baseLayers ?? 0);
    let blob = await layers.blob(diffId, { ...(isMade || force ? asked : {}), lazy });
    if (isDocker && layerCompression(blob.mediaType) === "zstd")
      blob = await layers.blob(diffId, { compression: "gzip" });
    blobs.push(blob);
  }
  const mediaType = isDocker ? MEDIA_TYPES.dockerManifest : MEDIA_TYPES.ociManifest;
  const format = isDocker ? "docker" : "oci";
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType,
    config: isDocker
      ? { ...image.configDescriptor, mediaType: MEDIA_TYPES.dockerConfig }
      : image.configDescriptor,
    layers: blobs.map((blob) => ({
      mediaType:
        layerCompression(blob.mediaType) === undefined ? blob.mediaType : layerTypeIn(format, blob.mediaType),
      digest: blob.digest,
      size: blob.size,
    })),
    ...annotationsMember(options.annotations.manifest),
  };
  const descriptor = await store.blobs.putBytes(encodeDocument(manifest), mediaType);
  return {
    manifest,
    descriptor: { ...descriptor, ...annotationsMember(options.annotations.manifestDescriptor) },
  };
}

/** Makes and stores the index over the images of several platforms. */
export async function putIndex(
  store: BuildStore,
  manifests: readonly (Descriptor & { readonly platform: Platform })[],
  { annotations, isDocker = false }: Pick<ManifestOptions, "annotations" | "isDocker">,
): Promise<Descriptor> {
  const mediaType = isDocker ? MEDIA_TYPES.dockerIndex : MEDIA_TYPES.ociIndex;
  const index: ImageIndex = {
    schemaVersion: 2,
    mediaType,
    manifests,
    ...annotationsMember(annotations.index),
  };
  const descriptor = await store.blobs.putBytes(encodeDocument(index), mediaType);
  return { ...descriptor, ...annotationsMember(annotations.indexDescriptor) };
}

/** JSON bytes as they are stored and hashed. */
function encodeDocument(value: object): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

function annotationsMember(annotations: Readonly<Record<string, string>>): {
  readonly annotations?: Readonly<Record<string, string>>;
} {
  return Object.keys(annotations).length === 0 ? {} : { annotations };
}

/** Digests of all blobs that a manifest names, config first, each once. */
export function blobsOf(manifest: ImageManifest): readonly Descriptor[] {
  const seen = new Map<Digest, Descriptor>();
  for (const blob of [manifest.config, ...manifest.layers])
    if (!seen.has(blob.digest)) seen.set(blob.digest, blob);
  return [...seen.values()];
}
