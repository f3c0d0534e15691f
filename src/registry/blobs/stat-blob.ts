import { repositoryScope } from "../auth/scope.ts";
import type { HostSession, RegistryRequest } from "../host-session.ts";
import { parseContentRange } from "../transport/content-range.ts";

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
  answer.body.discard();
  if (answer.status === 200) return sizeOf(answer.headers.one("content-length"));
  // A cache of another registry fetches only what somebody reads, and HEAD gets no words on what is wrong.
  const reading = { ...wire, method: "GET", headers: { range: "bytes=0-0" } };
  const second = await session.request(reading);
  if (second.status !== 200 && second.status !== 206) throw await session.refuse(second, reading);
  second.body.discard();
  return second.status === 200
    ? sizeOf(second.headers.one("content-length"))
    : parseContentRange(second.headers.one("content-range"))?.total;
}

function sizeOf(stated = ""): number | undefined {
  return /^\d{1,15}$/.test(stated) ? Number(stated) : undefined;
}
