/** Media types of the OCI image specification and of Docker's image manifest version 2, schema 2. */
export const MEDIA_TYPES = {
  ociIndex: "application/vnd.oci.image.index.v1+json",
  ociManifest: "application/vnd.oci.image.manifest.v1+json",
  ociConfig: "application/vnd.oci.image.config.v1+json",
  ociLayer: "application/vnd.oci.image.layer.v1.tar",
  ociLayerGzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  ociLayerZstd: "application/vnd.oci.image.layer.v1.tar+zstd",
  ociEmpty: "application/vnd.oci.empty.v1+json",
  dockerIndex: "application/vnd.docker.distribution.manifest.list.v2+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerConfig: "application/vnd.docker.container.image.v1+json",
  dockerLayer: "application/vnd.docker.image.rootfs.diff.tar",
  dockerLayerGzip: "application/vnd.docker.image.rootfs.diff.tar.gzip",
} as const;

/** A manifest list by either specification. */
export function isIndexType(mediaType: string): boolean {
  return mediaType === MEDIA_TYPES.ociIndex || mediaType === MEDIA_TYPES.dockerIndex;
}

/** A single image's manifest by either specification. */
export function isManifestType(mediaType: string): boolean {
  return mediaType === MEDIA_TYPES.ociManifest || mediaType === MEDIA_TYPES.dockerManifest;
}

/** The config of an image, and of nothing else: whatever has another is an artifact. */
export function isImageConfigType(mediaType: string): boolean {
  return mediaType === MEDIA_TYPES.ociConfig || mediaType === MEDIA_TYPES.dockerConfig;
}

export type Compression = "none" | "gzip" | "zstd";

/** How a layer of this media type is compressed; undefined when it is no layer type known here. */
export function layerCompression(mediaType: string): Compression | undefined {
  const plain = mediaType.replace("nondistributable.", "").replace("rootfs.foreign.", "rootfs.");
  switch (plain) {
    case MEDIA_TYPES.ociLayer:
    case MEDIA_TYPES.dockerLayer:
      return "none";
    case MEDIA_TYPES.ociLayerGzip:
    case MEDIA_TYPES.dockerLayerGzip:
      return "gzip";
    case MEDIA_TYPES.ociLayerZstd:
      return "zstd";
    default:
      return undefined;
  }
}

/** The OCI media type of a layer compressed that way. */
export function ociLayerType(compression: Compression): string {
  switch (compression) {
    case "none":
      return MEDIA_TYPES.ociLayer;
    case "gzip":
      return MEDIA_TYPES.ociLayerGzip;
    case "zstd":
      return MEDIA_TYPES.ociLayerZstd;
    default:
      return compression satisfies never;
  }
}
