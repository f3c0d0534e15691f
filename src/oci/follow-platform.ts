import { choosePlatform } from "./choose-platform.ts";
import type { FetchedDocument, ManifestSource } from "./manifest-source.ts";
import type { Platform } from "./platform.ts";

/** Indexes inside indexes: nobody nests deeper for a reason. */
const MAX_DEPTH = 4;

/**
 * The manifest that an index has for a platform, also by way of indexes in it; a manifest as it is.
 * @returns an index where indexes are nested too deep
 * @throws {OciError} NO_SUCH_PLATFORM; what `from` throws
 */
export async function followPlatform(
  from: ManifestSource,
  root: FetchedDocument,
  platform: Platform,
  { signal }: { readonly signal?: AbortSignal | undefined },
): Promise<FetchedDocument> {
  let document = root;
  for (let depth = 0; document.kind === "index" && depth < MAX_DEPTH; depth++)
    document = await from.fetchManifest(choosePlatform(document.index, platform).digest, { signal });
  return document;
}
