import type { Descriptor } from "./descriptor.ts";
import type { ImageIndex, ImageManifest } from "./manifest.ts";

/**
 * What a manifest or index says that it is: its `artifactType`, else the type of its config. Undefined for an index that
 * says nothing.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers
 */
export function artifactTypeOf(document: ImageManifest): string;
export function artifactTypeOf(document: ImageManifest | ImageIndex): string | undefined;
export function artifactTypeOf(document: ImageManifest | ImageIndex): string | undefined {
  return document.artifactType ?? ("config" in document ? document.config.mediaType : undefined);
}

/** The descriptor of a manifest as referrers lists show it. */
export function referrerDescriptor(descriptor: Descriptor, document: ImageManifest | ImageIndex): Descriptor {
  const { mediaType, digest, size } = descriptor;
  const artifactType = artifactTypeOf(document);
  return {
    mediaType,
    digest,
    size,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(document.annotations === undefined ? {} : { annotations: document.annotations }),
  };
}
