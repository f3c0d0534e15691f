import { StrakeError } from "../../errors.ts";
import { formatFamiliarName, type Reference } from "../../oci/index.ts";
import type { RegistryClient, RegistryError } from "../../registry/index.ts";
import { nearest } from "../../util/nearest.ts";

/** Tags that are looked at, and tags that are named. */
const MAX_TAGS = 5000;
const MAX_NAMED = 8;

/**
 * Runs `work`, which asks for `reference`. Where the registry does not have that tag, the error's hint tells the nearest
 * that it has.
 */
export async function suggestingTags<T>(
  client: RegistryClient,
  reference: Reference,
  work: () => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { RegistryError } = await import("../../registry/index.ts");
    const { tag, digest } = reference;
    const isMissing =
      error instanceof RegistryError &&
      error.code === "MANIFEST_NOT_FOUND" &&
      error.repository === reference.repository;
    if (!isMissing || tag === undefined || digest !== undefined || signal.aborted) throw error;
    const hint = await describeTags(client, { reference, tag }, signal);
    throw hint === undefined ? error : withHint(error, hint, RegistryError);
  }
}

async function describeTags(
  client: RegistryClient,
  { reference, tag }: { readonly reference: Reference; readonly tag: string },
  signal: AbortSignal,
): Promise<string | undefined> {
  const tags: string[] = [];
  try {
    for await (const page of client.repository(reference).listTags({ signal })) {
      // What tools name by a digest is nothing that a person meant.
      tags.push(...page.filter((each) => !/^sha(?:256|512)-[0-9a-f]{64}/.test(each)));
      if (tags.length >= MAX_TAGS) break;
    }
  } catch (error) {
    // That the whole repository is missing says more. Else the registry's first answer has to do.
    return error instanceof StrakeError && error.code === "NOT_FOUND" ? error.hint : undefined;
  }
  const name = formatFamiliarName(reference);
  if (tags.length === 0) return `The repository ${name} has no tags`;
  const guess = nearest(tag, tags);
  if (guess !== undefined) return `Did you mean "${name}:${guess}"?`;
  if (tags.length <= MAX_NAMED) return `${name} has ${tags.join(", ")}`;
  return `${name} has ${tags.slice(0, MAX_NAMED).join(", ")} and more: strake registry tags ${name}`;
}

function withHint(error: RegistryError, hint: string, Constructor: typeof RegistryError): RegistryError {
  const { code, message, cause, registry, repository, method, url, status, errors } = error;
  return new Constructor(code, message, {
    cause,
    registry,
    repository,
    method,
    url,
    status,
    errors,
    hint,
  });
}
