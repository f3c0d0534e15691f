import type { Descriptor, GrowingBlob } from "../../oci/index.ts";
import { RegistryError } from "../error.ts";
import type { HostSession, RegistryRequest } from "../host-session.ts";
import type { Answer } from "../transport/sender.ts";
import { cancelUpload } from "./cancel-upload.ts";
import { COMMIT_TIMEOUT_MS } from "./finish-upload.ts";
import { pushScopes } from "./has-blob.ts";
import { joinChunks } from "./upload-body.ts";
import { finishUrl, resolveUploadLocation } from "./upload-location.ts";

export interface StreamBlobOptions {
  readonly repository: string;
  readonly blob: GrowingBlob;
  readonly signal?: AbortSignal | undefined;
  /** Bytes sent so far. */
  readonly onSent: (sent: number) => void;
}

/**
 * Sends a blob while it is being made: one PATCH whose length nobody knows yet, then a PUT that says the digest. One try:
 * whatever goes wrong, the blob can be pushed whole once it is there.
 * @throws {RegistryError} @throws whatever making the blob fails with
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-a-blob-in-chunks
 */
export async function streamBlob(session: HostSession, options: StreamBlobOptions): Promise<Descriptor> {
  const { repository, blob, signal, onSent } = options;
  const base = {
    what: "push a layer while it is made",
    repository,
    scopes: pushScopes(repository),
    retries: false,
    signal,
  };
  const post: RegistryRequest = { ...base, method: "POST", target: `${repository}/blobs/uploads/` };
  let location = await openSession(session, post);
  try {
    let sent = 0;
    const patch: RegistryRequest = {
      ...base,
      method: "PATCH",
      target: location,
      headers: { "content-type": "application/octet-stream" },
      body: () => ({ size: undefined, chunks: counted() }),
      answerTimeoutMs: COMMIT_TIMEOUT_MS,
    };
    async function* counted(): AsyncGenerator<Uint8Array, void, undefined> {
      sent = 0;
      for await (const chunk of joinChunks(await blob.open({ offset: 0, signal }))) {
        yield chunk;
        sent += chunk.byteLength;
        onSent(sent);
      }
    }
    const patched = await accepted(session, patch);
    location = locationOf(patched) ?? location;
    const descriptor = await blob.descriptor;
    if (sent !== descriptor.size) throw new Error("invariant: a blob that was followed to its end is whole");
    await accepted(session, {
      ...base,
      method: "PUT",
      target: finishUrl(location, descriptor.digest),
      headers: { "content-type": "application/octet-stream" },
      answerTimeoutMs: COMMIT_TIMEOUT_MS,
    });
    return descriptor;
  } catch (error) {
    await cancelUpload(session, { ...base, method: "DELETE", target: location });
    throw error;
  }
}

async function openSession(session: HostSession, request: RegistryRequest): Promise<URL> {
  const answer = await accepted(session, request);
  const location = locationOf(answer);
  if (location !== undefined) return location;
  throw new RegistryError(
    "BAD_RESPONSE",
    `Cannot ${request.what}: ${session.registry} names no place for it`,
    { registry: session.registry, repository: request.repository, status: answer.status },
  );
}

async function accepted(session: HostSession, request: RegistryRequest): Promise<Answer> {
  const answer = await session.request(request);
  const expected = request.method === "PUT" ? answer.status === 201 : answer.status < 205;
  if (answer.status < 200 || !expected) throw await session.refuse(answer, request);
  answer.body.discard();
  return answer;
}

function locationOf(answer: Answer): URL | undefined {
  const location = resolveUploadLocation(answer.headers.one("location"), answer.url);
  return location instanceof URL ? location : undefined;
}
