import { repositoryScope } from "../auth/scope.ts";
import type { Clock } from "../clock.ts";
import { RegistryError } from "../error.ts";
import type { HostSession } from "../host-session.ts";
import { RetryBudget, type RetryPolicy } from "../transport/retry.ts";
import type { Answer } from "../transport/sender.ts";
import { hasBlob, pushScopes } from "./has-blob.ts";
import type { PushBlobDeps, PushBlobOptions, PushBlobResult } from "./push-types.ts";
import { Upload } from "./upload.ts";
import { resolveUploadLocation } from "./upload-location.ts";

/** What a mount saves is an upload, which has tries of its own: it is not worth minutes of asking. */
const MOUNT_TRIES = 3;

/**
 * Makes a repository have a blob: not at all if it does, by mounting it from another repository, or by sending it. A
 * sending that breaks off starts over with a new session, unless the registry turns out to have got everything.
 * @throws {RegistryError} @throws {OciError} BLOB_CORRUPT when the bytes are not the descriptor's
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-blobs
 */
export async function pushBlob(
  session: HostSession,
  options: PushBlobOptions,
  deps: PushBlobDeps,
): Promise<PushBlobResult> {
  if (await hasBlob(session, options)) return { kind: "present" };
  let started: URL | undefined;
  for (const [i, from] of options.mountFrom.entries()) {
    // A mount that does not work opens a session, so while there are other candidates it is cheaper to look first.
    const isLast = i === options.mountFrom.length - 1;
    if (!isLast && !(await isThere(session, options, from))) continue;
    const outcome = await tryMount(session, options, { from, ...deps });
    if (outcome === "mounted") return { kind: "mounted", from };
    started = outcome;
    if (started !== undefined) break;
  }
  await new Upload(session, options, deps).run(started);
  return { kind: "uploaded" };
}

async function isThere(session: HostSession, options: PushBlobOptions, repository: string): Promise<boolean> {
  try {
    return await hasBlob(session, { ...options, repository }, [repositoryScope(repository, "pull")]);
  } catch {
    options.signal?.throwIfAborted();
    return false;
  }
}

/** "mounted", or the location of the upload session that a registry opens instead, or nothing. */
async function tryMount(
  session: HostSession,
  { repository, descriptor, signal }: PushBlobOptions,
  { from, policy, clock }: { readonly from: string; readonly policy: RetryPolicy; readonly clock: Clock },
): Promise<"mounted" | URL | undefined> {
  const query = new URLSearchParams({ mount: descriptor.digest, from });
  let answer: Answer;
  try {
    answer = await session.request({
      what: `mount blob "${descriptor.digest}"`,
      method: "POST",
      target: `${repository}/blobs/uploads/?${query}`,
      repository,
      scopes: [...pushScopes(repository), repositoryScope(from, "pull")],
      budget: new RetryBudget({ ...policy, maxAttempts: Math.min(MOUNT_TRIES, policy.maxAttempts) }, clock),
      signal,
    });
  } catch (error) {
    signal?.throwIfAborted();
    // Not being allowed to read the other repository is no reason not to push to this one, nor is a connection that broke.
    if (error instanceof RegistryError) return undefined;
    throw error;
  }
  answer.body.discard();
  if (answer.status === 201) return "mounted";
  if (answer.status !== 202) return undefined;
  const location = resolveUploadLocation(answer.headers.one("location"), answer.url);
  return location instanceof URL ? location : undefined;
}
