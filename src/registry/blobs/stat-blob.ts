import { repositoryScope } from "../auth/scope.ts";
import type { HostSession, RegistryRequest } from "../host-session.ts";

/**
 * How many bytes a blob has, asked of the registry; undefined where it does not say.
 * @throws {RegistryError} BLOB_NOT_FOUND, …
 */
export async function statBlob(
  session: HostSession,
  request: {
    readonly repository: string;
    readonly digest: string;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<number | undefined> {
  const { repository, digest, signal } = request;
  const wire: RegistryRequest = {
    what: `find blob "${session.registry}/${repository}@${digest}"`,
    method: "HEAD",
    target: `${repository}/blobs/${digest}`,
    repository,
    scopes: [repositoryScope(repository, "pull")],
    missing: "BLOB_NOT_FOUND",
    signal,
  };
  const answer = await session.request(wire);
  if (answer.status !== 200) throw await session.refuse(answer, wire);
  answer.body.discard();
  const stated = answer.headers.one("content-length") ?? "";
  return /^\d{1,15}$/.test(stated) ? Number(stated) : undefined;
}
