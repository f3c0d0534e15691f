import { StrakeError } from "../../errors.ts";
import type { RegistryClient } from "../../registry/index.ts";
import type { RemoteName } from "./remote-name.ts";

/**
 * Deletes a tag or a manifest.
 * @param untag where tags can't be deleted, take them away by other means
 * @returns whether it was there
 */
export async function deleteName(
  client: RegistryClient,
  { reference, name }: Pick<RemoteName, "reference" | "name">,
  { untag, signal }: { readonly untag: boolean | undefined; readonly signal: AbortSignal },
): Promise<boolean> {
  try {
    return await client.repository(reference).deleteManifest(name, { signal });
  } catch (error) {
    if (untag !== true || name.includes(":") || !refusesTags(error)) throw error;
    const { removeTag } = await import("../../registry/index.ts");
    return await removeTag(client, { ...reference, tag: name }, { signal });
  }
}

/** Whether an error says that this registry deletes manifests, but no tags. */
export function refusesTags(error: unknown): error is StrakeError {
  return (
    error instanceof StrakeError &&
    error.code === "UNSUPPORTED" &&
    error.message.includes("deletes no single tags")
  );
}

/** @throws {RegistryError} MANIFEST_NOT_FOUND */
export async function notThere({ reference, shown }: RemoteName): Promise<never> {
  const { RegistryError } = await import("../../registry/index.ts");
  const { registry, repository } = reference;
  throw new RegistryError("MANIFEST_NOT_FOUND", `Cannot delete "${shown}": ${registry} does not have it`, {
    registry,
    repository,
  });
}
