import {
  type BlobSource,
  type Descriptor,
  OciError,
  readDocument,
  verifyBlob,
  verifyBytes,
} from "../../oci/index.ts";
import type { FetchedDocument, ManifestSource } from "./types.ts";

const MAX_TRIES = 4;

/** Looks up a small document that is already here. */
export type ReadKnown = (descriptor: Descriptor) => Promise<Uint8Array | undefined>;

/** A manifest or index that a descriptor names: from here if it is here, else from the source. */
export async function fetchDocument(
  source: ManifestSource,
  descriptor: Descriptor,
  options: { readonly readKnown?: ReadKnown | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<FetchedDocument> {
  const known = await readVerified(descriptor, options.readKnown);
  if (known !== undefined) return readDocument(known, descriptor);
  return await source.fetchManifest(descriptor.digest, { signal: options.signal });
}

/** The bytes of a small blob, verified; a corrupted transfer is tried again. */
export async function fetchSmallBlob(
  source: BlobSource,
  descriptor: Descriptor,
  options: {
    readonly maxBytes: number;
    readonly readKnown?: ReadKnown | undefined;
    /** Told before another try. */
    readonly onCorrupt?: (() => void) | undefined;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<Uint8Array> {
  const { maxBytes, readKnown, signal } = options;
  const known = await readVerified(descriptor, readKnown);
  if (known !== undefined) return known;
  if (descriptor.size > maxBytes) {
    throw new OciError(
      "DOCUMENT_INVALID",
      `Cannot read blob "${descriptor.digest}": it has ${descriptor.size} bytes, more than the ${maxBytes} allowed`,
    );
  }
  for (let attempt = 1; ; attempt++) {
    try {
      const chunks: Uint8Array[] = [];
      for await (const chunk of verifyBlob(await source.openBlob(descriptor, { signal }), descriptor))
        chunks.push(chunk);
      return Buffer.concat(chunks);
    } catch (error) {
      if (attempt === MAX_TRIES || !(error instanceof OciError) || error.code !== "BLOB_CORRUPT") throw error;
      options.onCorrupt?.();
    }
  }
}

/** What is here may be damaged; then it is as good as not here. */
async function readVerified(
  descriptor: Descriptor,
  readKnown: ReadKnown | undefined,
): Promise<Uint8Array | undefined> {
  const bytes = await readKnown?.(descriptor);
  if (bytes === undefined) return undefined;
  try {
    verifyBytes(bytes, { digest: descriptor.digest });
    return bytes;
  } catch {
    return undefined;
  }
}
