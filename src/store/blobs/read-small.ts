import type { BlobOpener } from "../../oci/blob-source.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { verifyBlob } from "../../oci/verify-blob.ts";
import type { WriteBlobOptions } from "../types.ts";

/** Blobs up to this are gathered in memory, verified and written whole; past it they arrive in a part file. */
export const SMALL_BLOB_BYTES = 1024 * 1024;

/** A blob whole, for one that is small enough to be gathered in memory. @throws {OciError} BLOB_CORRUPT */
export async function readSmallBlob(
  descriptor: Descriptor,
  open: BlobOpener,
  { signal, onBytes }: WriteBlobOptions,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  // An empty blob needs no source: some registries refuse to serve one.
  const bytes = descriptor.size === 0 ? [] : await open({ offset: 0, signal });
  for await (const chunk of verifyBlob(bytes, descriptor)) {
    signal?.throwIfAborted();
    chunks.push(chunk);
    onBytes?.(chunk.byteLength);
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}
