import { followPlatform, type Platform } from "../../oci/index.ts";
import type { FetchedDocument, RegistryClient } from "../../registry/index.ts";
import { checkPlatform } from "../images/check-platform.ts";
import type { RemoteName } from "./remote-name.ts";
import { suggestingTags } from "./suggest-tag.ts";

/**
 * The manifest or index that a name stands for; with a platform, the manifest that its index has for it.
 * @throws {RegistryError} MANIFEST_NOT_FOUND @throws {OciError} NO_SUCH_PLATFORM
 */
export async function fetchChosen(
  client: RegistryClient,
  { reference, name, shown }: RemoteName,
  { platform, signal }: { readonly platform: Platform | undefined; readonly signal: AbortSignal },
): Promise<FetchedDocument> {
  const repository = client.repository(reference);
  const fetchRoot = (): Promise<FetchedDocument> => repository.fetchManifest(name, { signal });
  const root = await suggestingTags(client, reference, fetchRoot, signal);
  if (platform === undefined) return root;
  await checkPlatform(root, [platform], { from: repository, text: shown, signal });
  return await followPlatform(repository, root, platform, { signal });
}
