import { randomBytes, randomUUID } from "node:crypto";
import { digestOf, type Reference } from "../../oci/index.ts";
import type { RegistryClient } from "../client.ts";
import { RegistryError } from "../error.ts";
import { pushArtifact } from "./push-artifact.ts";
import type { FetchedDocument } from "./types.ts";

const PLACEHOLDER_TYPE = "application/vnd.strake.removed-tag";

/**
 * Takes a tag away, and leaves its image, where a registry deletes manifests only by digest: something empty that nothing
 * else names is put under the tag, and deleted. Needs the right to push. When that can't be deleted, the tag gets back what it
 * had. What somebody else pushes to the tag meanwhile may be lost.
 *
 * @param reference with a tag
 * @returns false when the tag was not there
 * @throws {RegistryError} UNSUPPORTED, before anything is changed, where the registry deletes nothing
 */
export async function removeTag(
  client: RegistryClient,
  reference: Reference & { readonly tag: string },
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<boolean> {
  const { tag } = reference;
  const repository = client.repository(reference);
  let before: FetchedDocument;
  try {
    before = await repository.fetchManifest(tag, { signal });
  } catch (error) {
    if (error instanceof RegistryError && error.code === "MANIFEST_NOT_FOUND") return false;
    throw error;
  }
  // Whether anything can be deleted: a digest that is not there is refused like any other.
  await repository.deleteManifest(digestOf(randomBytes(32)), { signal });
  try {
    const placeholder = await pushArtifact(client, {
      reference,
      artifactType: PLACEHOLDER_TYPE,
      files: [],
      annotations: { "vnd.strake.removed-tag": randomUUID() },
      signal,
    });
    await repository.deleteManifest(placeholder.digest, { signal });
  } catch (error) {
    // Also when it was aborted: the tag must not go on naming nothing of use.
    const { mediaType } = before.descriptor;
    await repository.pushManifest(before.bytes, { mediaType, tag }).catch(() => undefined);
    throw error;
  }
  return true;
}
