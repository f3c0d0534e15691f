import { repositoryScope, type Scope } from "../auth/scope.ts";
import type { HostSession, RegistryRequest } from "../host-session.ts";
import type { PushBlobOptions } from "./push-types.ts";

/** Whether the repository has the blob, in the right size. "Cannot tell" counts as no. */
export async function hasBlob(
  session: HostSession,
  { repository, descriptor, signal }: Pick<PushBlobOptions, "repository" | "descriptor" | "signal">,
  scopes: readonly Scope[] = pushScopes(repository),
): Promise<boolean> {
  const { digest, size } = descriptor;
  const request: RegistryRequest = {
    what: `look for blob "${digest}"`,
    method: "HEAD",
    target: `${repository}/blobs/${digest}`,
    repository,
    scopes,
    missing: "BLOB_NOT_FOUND",
    signal,
  };
  const answer = await session.request(request);
  answer.body.discard();
  if (answer.status === 200) {
    const stated = answer.headers.one("content-length");
    return stated === undefined || Number(stated) === size;
  }
  // The registry said where the blob is; its storage may only not know HEAD.
  if (answer.hops.length > 0 && answer.status !== 404) return await canReadFirstByte(session, request);
  // Some registries deny it before a push; an upload is always right, but where too much is asked of them already.
  if (answer.status >= 500 || answer.status === 429) throw await session.refuse(answer, request);
  return false;
}

async function canReadFirstByte(session: HostSession, request: RegistryRequest): Promise<boolean> {
  const answer = await session.request({ ...request, method: "GET", headers: { range: "bytes=0-0" } });
  answer.body.discard();
  return answer.status === 206 || answer.status === 200;
}

/** What pushing to a repository needs. */
export function pushScopes(repository: string): readonly Scope[] {
  return [repositoryScope(repository, "pull", "push")];
}
