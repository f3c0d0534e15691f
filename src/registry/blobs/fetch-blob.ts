import type { HostSession } from "../host-session.ts";
import type { BlobStreams } from "./blob-streams.ts";
import { LEAST_LEFT_BYTES } from "./decide-streams.ts";
import { type BlobFetchDeps, Download } from "./download.ts";
import type { BlobRequest } from "./request-blob.ts";

/**
 * Opens a blob. The iteration goes on over broken connections at the byte where they broke, from the next host if one
 * keeps failing; it ends when all bytes have come. A large blob that one connection brings slowly is read over several
 * at once. The digest is the reader's to check.
 * @throws {OciError} BLOB_NOT_FOUND
 * @throws {RegistryError} everything else
 */
export async function fetchBlob(
  request: BlobRequest,
  deps: BlobFetchDeps & { readonly streams: BlobStreams },
): Promise<AsyncIterable<Uint8Array>> {
  const shared = { ...deps, given: new Set<HostSession>() };
  const download = await new Download(request, shared).open();
  if (request.descriptor.size - request.offset < LEAST_LEFT_BYTES)
    return deps.streams.count(download.bytes());
  const { readWidening } = await import("./read-widening.ts");
  return readWidening(download, request, shared);
}
