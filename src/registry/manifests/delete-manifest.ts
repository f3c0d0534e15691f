import { repositoryScope } from "../auth/scope.ts";
import { RegistryError } from "../error.ts";
import type { HostSession, RegistryRequest } from "../host-session.ts";
import { showName } from "./fetch-manifest.ts";
import { resolveTags } from "./resolve-tags.ts";

export interface DeleteRequest {
  readonly repository: string;
  /** A tag or a digest. Deleting a digest takes all its tags along. */
  readonly name: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Deletes a manifest by digest, or one tag without the manifest it names. False when it was not there.
 * @throws {RegistryError} UNSUPPORTED where the registry deletes nothing, or no single tags
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#content-management
 */
export async function deleteManifest(
  session: HostSession,
  { repository, name, signal }: DeleteRequest,
): Promise<boolean> {
  const isTag = !name.includes(":");
  const wire = (target: string): RegistryRequest => ({
    what: `delete "${showName(session.registry, repository, name)}"`,
    method: "DELETE",
    target,
    repository,
    scopes: [repositoryScope(repository, "pull", "push", "delete")],
    missing: "MANIFEST_NOT_FOUND",
    signal,
  });
  const budget = session.newBudget();
  const request = { ...wire(`${repository}/manifests/${name}`), budget };
  const answer = await session.request(request);
  if (isDone(answer.status)) {
    answer.body.discard();
    return true;
  }
  const refused = await session.refuse(answer, request);
  const codes = refused instanceof RegistryError ? refused.errors.map(({ code }) => code) : [];
  if (
    answer.status === 404 &&
    (!isTag || codes.includes("MANIFEST_UNKNOWN") || codes.includes("NAME_UNKNOWN"))
  ) {
    // Where a try before got no answer, it may be that one which has deleted it.
    return budget.attempts > 0;
  }
  if (!isTag && codes.includes("GOOGLE_MANIFEST_DANGLING_TAG")) {
    // Google's registries delete what has tags only after them.
    for (const [tag, { digest }] of await resolveTags(session, { repository, signal }))
      if (digest === name) await deleteManifest(session, { repository, name: tag, signal });
    const again = await session.request(request);
    if (!isDone(again.status)) throw await session.refuse(again, request);
    again.body.discard();
    return true;
  }
  const wantsDigest = answer.status === 404 || answer.status === 405 || codes.includes("DIGEST_INVALID");
  if (!isTag || !wantsDigest || (answer.status === 405 && codes.includes("UNSUPPORTED"))) throw refused;
  // GitLab's registry had a path of its own for this before the specification had one.
  const older = wire(`${repository}/tags/reference/${name}`);
  const second = await session.request(older);
  second.body.discard();
  if (isDone(second.status)) return true;
  throw new RegistryError(
    "UNSUPPORTED",
    `Cannot delete "${showName(session.registry, repository, name)}": ${session.registry} deletes no single tags`,
    {
      registry: session.registry,
      repository,
      status: answer.status,
      errors: refused instanceof RegistryError ? refused.errors : [],
      cause: refused,
      hint: "Delete the manifest by its digest, which removes all tags that name it",
    },
  );
}

function isDone(status: number): boolean {
  return status === 200 || status === 202 || status === 204;
}
