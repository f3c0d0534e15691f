import { type Descriptor, MEDIA_TYPES } from "../../src/oci/index.ts";
import type { MemoryBlobs } from "./registry-images.ts";

/** Keeps a document as JSON. */
export function putJson(blobs: MemoryBlobs, value: unknown, mediaType: string): Descriptor {
  return blobs.put(Buffer.from(JSON.stringify(value)), mediaType);
}

/** An index of images, with an attestation of the first as BuildKit adds it. */
export function putAttestedIndex(blobs: MemoryBlobs, images: readonly Descriptor[]): Descriptor {
  const statement = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: putJson(blobs, { rootfs: { type: "layers", diff_ids: [] } }, MEDIA_TYPES.ociConfig),
    layers: [putJson(blobs, { predicate: {} }, "application/vnd.in-toto+json")],
  };
  const attestation = {
    ...putJson(blobs, statement, MEDIA_TYPES.ociManifest),
    platform: { os: "unknown", architecture: "unknown" },
    annotations: {
      "vnd.docker.reference.type": "attestation-manifest",
      "vnd.docker.reference.digest": images[0]?.digest,
    },
  };
  const index = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociIndex,
    manifests: [...images, attestation],
  };
  return putJson(blobs, index, MEDIA_TYPES.ociIndex);
}
