import type { Descriptor } from "../../oci/index.ts";
import { RegistryError } from "../error.ts";
import type { HostSession } from "../host-session.ts";
import { runParallel } from "../parallel.ts";
import { resolveManifest } from "./fetch-manifest.ts";
import { listTags } from "./list-tags.ts";

const PARALLEL_TAGS = 8;

/** What each tag of a repository names, one small request for each. A tag that names nothing any more is left out. */
export async function resolveTags(
  session: HostSession,
  { repository, signal }: { readonly repository: string; readonly signal?: AbortSignal | undefined },
): Promise<Map<string, Descriptor>> {
  const tags: string[] = [];
  for await (const page of listTags(session, { repository, signal })) tags.push(...page);
  const found = new Map<string, Descriptor>();
  const resolveOne = async (name: string, inner: AbortSignal): Promise<void> => {
    try {
      const { descriptor } = await resolveManifest(session, { repository, name, signal: inner });
      found.set(name, descriptor);
    } catch (error) {
      if (!(error instanceof RegistryError) || error.code !== "MANIFEST_NOT_FOUND") throw error;
    }
  };
  await runParallel(tags, PARALLEL_TAGS, resolveOne, signal);
  return found;
}
