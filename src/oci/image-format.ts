import { OciError } from "./error.ts";
import {
  isImageConfigType,
  isIndexType,
  isManifestType,
  layerCompression,
  MEDIA_TYPES,
} from "./media-types.ts";

/** Whose media types an image's documents have: OCI's, or those of Docker's image manifest version 2, schema 2. */
export type ImageFormat = "oci" | "docker";

/** The format of a manifest or an index of this media type. */
export function formatOf(mediaType: string): ImageFormat {
  return mediaType === MEDIA_TYPES.dockerManifest || mediaType === MEDIA_TYPES.dockerIndex ? "docker" : "oci";
}

/** The media type of a manifest or an index in a format. */
export function documentTypeIn(format: ImageFormat, mediaType: string): string {
  if (isIndexType(mediaType)) return format === "oci" ? MEDIA_TYPES.ociIndex : MEDIA_TYPES.dockerIndex;
  if (isManifestType(mediaType))
    return format === "oci" ? MEDIA_TYPES.ociManifest : MEDIA_TYPES.dockerManifest;
  throw new TypeError(`"${mediaType}" is no type of a manifest`);
}

/** The media type of an image's config in a format; undefined for the config of something that is no image. */
export function configTypeIn(format: ImageFormat, mediaType: string): string | undefined {
  if (!isImageConfigType(mediaType)) return undefined;
  return format === "oci" ? MEDIA_TYPES.ociConfig : MEDIA_TYPES.dockerConfig;
}

/**
 * The media type of a layer in a format. One that may not be passed on stays so.
 * @throws {OciError} NOT_CONVERTIBLE for what is no layer of an image, and for zstd in Docker's format
 */
export function layerTypeIn(format: ImageFormat, mediaType: string): string {
  const compression = layerCompression(mediaType);
  if (compression === undefined)
    throw new OciError("NOT_CONVERTIBLE", `"${mediaType}" is no type of an image's layer`);
  const isForeign = mediaType.includes(".nondistributable.") || mediaType.includes(".foreign.");
  if (format === "oci") {
    const suffix = compression === "none" ? "" : `+${compression}`;
    return `application/vnd.oci.image.layer.${isForeign ? "nondistributable." : ""}v1.tar${suffix}`;
  }
  if (compression === "zstd") {
    throw new OciError("NOT_CONVERTIBLE", "Docker's format has no layers compressed with zstd", {
      hint: "copy --format docker --recompress makes gzip of it; OCI's format has a type for it",
    });
  }
  const suffix = compression === "none" ? "" : ".gzip";
  return `application/vnd.docker.image.rootfs.${isForeign ? "foreign." : ""}diff.tar${suffix}`;
}
