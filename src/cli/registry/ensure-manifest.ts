import { type Descriptor, type Digest, layerCompression, MEDIA_TYPES } from "../../oci/index.ts";
import type { ImageRecord, Store } from "../../store/index.ts";

/**
 * The record with a manifest: an image that was built has none until somebody needs it. Makes the blobs that are missing,
 * then the manifest, and notes it for every name of the image.
 * @throws {StoreError} when a layer is not here in any form and nobody knows where it is
 */
export async function ensureManifest(
  store: Store,
  record: ImageRecord,
  signal: AbortSignal,
): Promise<ImageRecord & { readonly manifest: Descriptor }> {
  const { manifest } = record;
  if (manifest !== undefined) return { ...record, manifest };
  // Not through the builder's door: who moves images needs nothing else of it.
  const { putManifest } = await import("../../builder/export/image-documents.ts");
  const { config, configBytes } = await store.images.describe(record);
  const configDescriptor = await store.blobs.putBytes(configBytes, MEDIA_TYPES.ociConfig);
  const made = await putManifest(
    { config, configDescriptor },
    { store, layers: { blob: (diffId) => blobOf(store, diffId, signal) } },
    { annotations: { manifest: {}, index: {}, manifestDescriptor: {}, indexDescriptor: {} } },
  );
  const { descriptor } = made;
  for (const named of await store.images.list()) {
    if (named.imageId === record.imageId && named.manifest === undefined) {
      await store.images.put({ ...named, manifest: descriptor });
    }
  }
  return { ...record, manifest: descriptor };
}

/** A layer's blob. One of a base image that nobody has read yet stays where it is: its descriptor is enough. */
async function blobOf(store: Store, diffId: Digest, signal: AbortSignal): Promise<Descriptor> {
  const info = await store.layers.info(diffId);
  const isHere = info !== undefined && (info.hasBlob || info.hasSnapshot || info.hasTar);
  if (!isHere && info?.blob !== undefined && (info.origins ?? []).length > 0) return info.blob;
  // A layer that came uncompressed (with docker save) is no blob to push as it is.
  const isPlain = info?.blob !== undefined && layerCompression(info.blob.mediaType) === "none";
  return store.layers.ensureBlob(diffId, { ...(isPlain ? { compression: "gzip" } : {}), signal });
}
