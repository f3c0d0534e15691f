import type { Descriptor, Reference } from "../../oci/index.ts";
import type { RegistryClient } from "../client.ts";
import { copyImage } from "./copy-image.ts";
import { type ArtifactContents, packArtifact } from "./pack-artifact.ts";

export interface PushArtifactOptions extends ArtifactContents {
  /** Where to; without a tag it is found by its digest, or through its subject. */
  readonly reference: Reference;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Pushes something that is no image: an SBOM, a signature, a chart. Blobs that the registry has are not sent. Returns
 * the descriptor of its manifest.
 * @throws {RegistryError} @throws {OciError} BLOB_CORRUPT @throws {TypeError} see `packArtifact`
 */
export async function pushArtifact(
  client: RegistryClient,
  { reference, signal, ...contents }: PushArtifactOptions,
): Promise<Descriptor> {
  const repository = client.repository(reference);
  const { descriptor, source } = packArtifact(contents);
  await copyImage({
    from: source,
    name: descriptor.digest,
    to: repository,
    pushBlob: (blob, open, inner) => repository.pushBlob(blob, open, { signal: inner }),
    forgetBlobs: (blobs) => repository.forgetBlobs(blobs),
    tags: reference.tag === undefined ? [] : [reference.tag],
    signal,
  });
  return descriptor;
}
