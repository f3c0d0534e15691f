import type { Descriptor } from "../../oci/descriptor.ts";
import { CONTAINERD_NAME, REF_NAME } from "../../oci/image-layout.ts";
import type { ImageIndex } from "../../oci/manifest.ts";
import { MEDIA_TYPES } from "../../oci/media-types.ts";
import type { ImageRecord } from "../types.ts";
import { isNamed } from "./platform-images.ts";

/**
 * The layout's index.json: every image that has a manifest or an index, under its full name. skopeo, podman and crane look the
 * name up in `org.opencontainers.image.ref.name`, containerd in its own annotation.
 */
export function encodeLayoutIndex(records: readonly ImageRecord[]): string {
  const index: ImageIndex = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociIndex,
    manifests: records.toSorted(byReference).flatMap((record) => {
      const root = record.images === undefined ? record.manifest : record.index;
      return root === undefined ? [] : [entry(record, root)];
    }),
  };
  return `${JSON.stringify(index, null, 1)}\n`;
}

/** By code units: the same on every machine. */
export function byReference(a: ImageRecord, b: ImageRecord): number {
  return a.reference < b.reference ? -1 : a.reference > b.reference ? 1 : 0;
}

function entry(record: ImageRecord, { mediaType, digest, size, platform }: Descriptor): Descriptor {
  return {
    mediaType,
    digest,
    size,
    // An index has no platform of its own.
    ...(record.images === undefined ? { platform: platform ?? record.platform } : {}),
    ...(isNamed(record)
      ? {
          annotations: {
            [REF_NAME]: record.reference,
            [CONTAINERD_NAME]: record.reference,
          },
        }
      : {}),
  };
}
