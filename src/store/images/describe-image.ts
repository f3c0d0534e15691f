import { decodeImageConfig } from "../../oci/decode-image-config.ts";
import { decodeManifest } from "../../oci/decode-manifest.ts";
import type { BlobStore, ImageDescription, ImageLayer, ImageRecord, LayerStore } from "../types.ts";

/**
 * Reads an image's documents and what the store has of its layers.
 * @throws {OciError} BLOB_NOT_FOUND, BLOB_CORRUPT, DOCUMENT_INVALID
 */
export async function describeImage(
  record: ImageRecord,
  { blobs, layers }: { readonly blobs: BlobStore; readonly layers: LayerStore },
): Promise<ImageDescription> {
  const configBytes = await blobs.readBlob(record.imageId);
  const config = decodeImageConfig(configBytes);
  const manifestBytes =
    record.manifest === undefined ? undefined : await blobs.readBlob(record.manifest.digest);
  const manifest = manifestBytes === undefined ? undefined : decodeManifest(manifestBytes);
  const described = await Promise.all(
    config.rootfs.diff_ids.map(async (diffId, i): Promise<ImageLayer> => {
      const info = await layers.info(diffId);
      const blob = manifest?.layers[i];
      return { diffId, ...(blob === undefined ? {} : { blob }), ...(info === undefined ? {} : { info }) };
    }),
  );
  return {
    record,
    config,
    configBytes,
    ...(manifest === undefined || manifestBytes === undefined
      ? {}
      : {
          manifest,
          manifestBytes,
          compressedSize: manifest.layers.reduce((sum, layer) => sum + layer.size, manifest.config.size),
        }),
    layers: described,
    unpackedSize: described.reduce((sum, { info }) => sum + (info?.tarSize ?? 0), 0),
  };
}
