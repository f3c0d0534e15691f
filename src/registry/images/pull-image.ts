import { bytesOnce } from "../../oci/bytes-once.ts";
import { type BlobOpener, type BlobSink, type Descriptor, OciError } from "../../oci/index.ts";
import type { RegistryClient } from "../client.ts";
import { runParallel } from "../parallel.ts";
import type { Repository } from "../repository.ts";
import { fetchImageMetadata } from "./fetch-image-metadata.ts";
import type { ImageMetadata, PullImageOptions } from "./types.ts";

/** Layers at once. More does not help on one link, fewer leaves it idle between small ones. */
export const PARALLEL_BLOBS = 6;

/** A large blob that came wrong twice is wrong where it lies, most likely; a small one costs little to be sure of. */
const CORRUPT_TRIES = 2;
const CORRUPT_TRIES_IF_CHEAP = 4;
const CHEAP_BYTES = 16 * 1024 * 1024;

/**
 * Pulls one platform's image into a sink: layers side by side, then config, manifest and index, so that a sink never
 * has a document without what it lists. What the sink has already is not fetched.
 * @throws {RegistryError} @throws {OciError} NO_SUCH_PLATFORM, BLOB_NOT_FOUND, BLOB_CORRUPT, DOCUMENT_INVALID
 */
export async function pullImage(client: RegistryClient, options: PullImageOptions): Promise<ImageMetadata> {
  const metadata = await fetchImageMetadata(client, options.reference, options);
  await pullContents(client, metadata, options);
  return metadata;
}

/** The second half of `pullImage`, for documents that have been fetched already. */
export async function pullContents(
  client: RegistryClient,
  metadata: ImageMetadata,
  { sink, signal }: Pick<PullImageOptions, "sink" | "signal">,
): Promise<void> {
  const repository = client.repository(metadata.reference);
  const layers = distinctBlobs(metadata.manifest.manifest.layers);
  await runParallel(
    layers,
    PARALLEL_BLOBS,
    (layer, inner) => pullBlob(client, repository, layer, sink, inner),
    signal,
  );
  const { config, manifest, index } = metadata;
  await sink.writeBlob(config.descriptor, opener(config.bytes), { signal });
  await sink.writeBlob(manifest.descriptor, opener(manifest.bytes), { signal });
  if (index !== undefined) await sink.writeBlob(index.descriptor, opener(index.bytes), { signal });
}

/** Moves one blob into a sink. Bytes that turn out wrong are fetched again, from the registry itself. */
async function pullBlob(
  client: RegistryClient,
  repository: Repository,
  descriptor: Descriptor,
  sink: BlobSink,
  signal: AbortSignal,
): Promise<void> {
  if (await sink.hasBlob(descriptor, { signal })) {
    client.emit({ kind: "blob-skipped", direction: "pull", ...repository.blobContext(descriptor) });
    return;
  }
  const open: BlobOpener = (at) => repository.openBlob(descriptor, at);
  const tries = descriptor.size <= CHEAP_BYTES ? CORRUPT_TRIES_IF_CHEAP : CORRUPT_TRIES;
  for (let attempt = 1; ; attempt++) {
    try {
      await sink.writeBlob(descriptor, open, { signal });
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof OciError) || error.code !== "BLOB_CORRUPT") throw error;
      if (attempt === tries) throw stillCorrupt(error, repository, { descriptor, tries });
      repository.distrustMirrors(descriptor.digest);
    }
  }
}

function stillCorrupt(
  cause: OciError,
  { registry, name }: Repository,
  { descriptor, tries }: { readonly descriptor: Descriptor; readonly tries: number },
): OciError {
  return new OciError(
    "BLOB_CORRUPT",
    `Cannot pull blob "${descriptor.digest}" of ${registry}/${name}: what came was wrong ${tries} times`,
    { cause, hint: `The blob may be damaged at ${registry}; pushing the image once more may mend it` },
  );
}

/** An image may list a layer more than once; it is moved once. */
export function distinctBlobs(blobs: readonly Descriptor[]): readonly Descriptor[] {
  const seen = new Set<string>();
  return blobs.filter(({ digest }) => !seen.has(digest) && seen.add(digest));
}

function opener(bytes: Uint8Array): BlobOpener {
  return async ({ offset }) => bytesOnce(bytes.subarray(offset));
}
