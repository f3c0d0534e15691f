import { isAttestation } from "./choose-platform.ts";
import type { Descriptor } from "./descriptor.ts";
import { OciError } from "./error.ts";
import { configTypeIn, documentTypeIn, formatOf, type ImageFormat, layerTypeIn } from "./image-format.ts";
import type { ImageIndex, ImageManifest } from "./manifest.ts";
import type { FetchedIndex, FetchedManifest } from "./manifest-source.ts";
import { isImageConfigType, layerCompression } from "./media-types.ts";

/** What an image had, and Docker's format has no place for. */
export type LostInFormat = "annotations" | "attestations" | "subject";

const LAYER_TYPE = /^application\/vnd\.(?:oci\.image\.layer|docker\.image\.rootfs)\./;

/**
 * Whether a manifest is that of an image: not of an artifact, nor of BuildKit's attestations. Its layers may be compressed in ways
 * that are not known here.
 */
export function isImageManifest({ artifactType, config, layers }: ImageManifest): boolean {
  if (artifactType !== undefined || !isImageConfigType(config.mediaType)) return false;
  return layers.every(({ mediaType }) => LAYER_TYPE.test(mediaType));
}

/**
 * A manifest with the media types of another format. The config and the layers stay, and with the config the image ID. In
 * Docker's format there is nothing but these: no annotations, no subject.
 * @returns the same manifest when it has these types already
 * @throws {OciError} NOT_CONVERTIBLE for an artifact, and for zstd in Docker's format
 */
export function convertManifest(
  { manifest, descriptor }: FetchedManifest,
  format: ImageFormat,
): ImageManifest {
  const odd = oddType(manifest);
  if (odd !== undefined) {
    if (format === "oci" && formatOf(descriptor.mediaType) === "oci") return manifest;
    throw new OciError(
      "NOT_CONVERTIBLE",
      `Cannot give "${descriptor.digest}" the media types of ${NAMES[format]}: it holds "${odd}", for which there is no such type`,
    );
  }
  const mediaType = documentTypeIn(format, descriptor.mediaType);
  const config = withType(manifest.config, configTypeIn(format, manifest.config.mediaType) ?? "");
  const layers = manifest.layers.map((layer) => withType(layer, typeOfLayer(layer, format, descriptor)));
  const isSame =
    mediaType === descriptor.mediaType &&
    config === manifest.config &&
    layers.every((layer, i) => layer === manifest.layers[i]);
  if (isSame) return manifest;
  if (format === "oci") return { ...manifest, mediaType, config, layers };
  return { schemaVersion: 2, mediaType, config: plain(config), layers: layers.map(plain) };
}

/**
 * An index over images whose manifests were converted.
 * @param newOf what an entry points at now
 * @returns the same index when nothing in it is different
 */
export function convertIndex(
  { index, descriptor }: FetchedIndex,
  format: ImageFormat,
  newOf: (entry: Descriptor) => Descriptor,
): ImageIndex {
  const mediaType = documentTypeIn(format, descriptor.mediaType);
  const kept =
    format === "oci"
      ? withoutStale(index.manifests, newOf)
      : index.manifests.filter((entry) => !isAttestation(entry));
  const manifests = kept.map((entry) => pointAt(entry, newOf(entry)));
  const isSame =
    mediaType === descriptor.mediaType &&
    manifests.length === index.manifests.length &&
    manifests.every((entry, i) => entry === index.manifests[i]);
  if (isSame) return index;
  if (format === "oci") return { ...index, mediaType, manifests };
  return { schemaVersion: 2, mediaType, manifests: manifests.map(plain) };
}

/** What of a manifest or an index is not in its conversion to Docker's format. */
export function lostOf(document: ImageManifest | ImageIndex): readonly LostInFormat[] {
  const entries = "manifests" in document ? document.manifests : [document.config, ...document.layers];
  const images = entries.filter((entry) => !isAttestation(entry));
  const annotated = [document, ...images].some(
    ({ annotations }) => annotations !== undefined && Object.keys(annotations).length > 0,
  );
  return [
    ...(annotated ? (["annotations"] as const) : []),
    ...(images.length < entries.length ? (["attestations"] as const) : []),
    ...(document.subject === undefined ? [] : (["subject"] as const)),
  ];
}

/** The entries without attestations of manifests that are others now: these speak of what is no more. */
export function withoutStale(
  entries: readonly Descriptor[],
  newOf: (entry: Descriptor) => Descriptor,
): readonly Descriptor[] {
  const gone = new Set<string>(
    entries.filter((entry) => newOf(entry).digest !== entry.digest).map(({ digest }) => digest),
  );
  return entries.filter(({ annotations }) => !gone.has(annotations?.["vnd.docker.reference.digest"] ?? ""));
}

/** A descriptor for other content in the same place; the same one where it is the same content. */
export function pointAt(entry: Descriptor, { mediaType, digest, size }: Descriptor): Descriptor {
  if (entry.digest === digest && entry.mediaType === mediaType) return entry;
  const { data: _data, ...rest } = entry;
  return { ...rest, mediaType, digest, size };
}

const NAMES: Readonly<Record<ImageFormat, string>> = { oci: "OCI", docker: "Docker" };

/** The type in a manifest that there is in one format alone. */
function oddType({ artifactType, config, layers }: ImageManifest): string | undefined {
  if (artifactType !== undefined) return artifactType;
  if (!isImageConfigType(config.mediaType)) return config.mediaType;
  return layers.find(({ mediaType }) => layerCompression(mediaType) === undefined)?.mediaType;
}

function typeOfLayer(layer: Descriptor, format: ImageFormat, image: Descriptor): string {
  try {
    return layerTypeIn(format, layer.mediaType);
  } catch (cause) {
    if (!(cause instanceof OciError)) throw cause;
    throw new OciError(
      "NOT_CONVERTIBLE",
      `Cannot give "${image.digest}" the media types of ${NAMES[format]}: layer "${layer.digest}" is compressed with zstd, ` +
        "for which there is no such type",
      { hint: cause.hint },
    );
  }
}

function withType(descriptor: Descriptor, mediaType: string): Descriptor {
  return descriptor.mediaType === mediaType ? descriptor : { ...descriptor, mediaType };
}

/** What Docker's format knows of a descriptor. */
function plain({ mediaType, size, digest, urls, platform }: Descriptor): Descriptor {
  return {
    mediaType,
    size,
    digest,
    ...(urls === undefined ? {} : { urls }),
    ...(platform === undefined ? {} : { platform }),
  };
}
