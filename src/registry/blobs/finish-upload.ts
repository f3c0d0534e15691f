import type { Descriptor } from "../../oci/index.ts";
import type { Clock } from "../clock.ts";
import { RegistryError } from "../error.ts";
import type { HostSession, RegistryRequest } from "../host-session.ts";
import { isRetriedStatus, parseRetryAfter, type RetryPolicy } from "../transport/retry.ts";
import { answerOrLoss } from "./answer-or-loss.ts";
import { checkStoredDigest } from "./check-stored-digest.ts";

/** What the server may need to store a blob once it has all of it: seconds for gigabytes on slow disks. */
export const COMMIT_TIMEOUT_MS = 300_000;
const COMMIT_MS_PER_BYTE = 1000 / 10_000_000;
/** First pause after a 429 that does not say how long. */
const RATE_LIMIT_DELAY_MS = 2000;

export interface FinishOptions {
  readonly descriptor: Descriptor;
  /** The request that ends the session, but for its body. */
  readonly request: RegistryRequest;
  /** The whole blob, or nothing where the session has it all. */
  readonly body: RegistryRequest["body"];
  readonly clock: Clock;
  readonly policy: RetryPolicy;
}

/** What has become of a session that was to end. `error` is what to throw when there is to be no other try. */
export type FinishResult =
  | { readonly kind: "stored" }
  /** The blob may be stored, and the session may have a part of it. */
  | { readonly kind: "lost"; readonly reason: string; readonly error: Error }
  /** Something on the way does not let so much through in one request. */
  | { readonly kind: "too-large"; readonly error: Error }
  /** What arrived has another digest. */
  | { readonly kind: "other-bytes"; readonly error: Error }
  /** Another try may do. */
  | {
      readonly kind: "failed";
      readonly reason: string;
      readonly error: Error;
      /** What the registry asked for before it. */
      readonly leastWaitMs?: number | undefined;
      /** Whether the session may go on; else it is gone, or in a state that cannot be mended. */
      readonly mayGoOn: boolean;
    };

/**
 * Ends an upload session, with the blob or with nothing more, and judges the answer.
 * @throws {RegistryError} a refusal for good; {OciError} BLOB_CORRUPT when it was stored as something else
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#post-then-put
 */
export async function finishUpload(session: HostSession, options: FinishOptions): Promise<FinishResult> {
  const { descriptor, clock, policy } = options;
  const request: RegistryRequest = {
    ...options.request,
    headers: { "content-type": "application/octet-stream" },
    body: options.body,
    answerTimeoutMs: COMMIT_TIMEOUT_MS + descriptor.size * COMMIT_MS_PER_BYTE,
    retries: false,
  };
  const sent = await answerOrLoss(session, request);
  if (sent.answer === undefined) return { kind: "lost", reason: sent.reason, error: sent.lost };
  const { answer } = sent;
  const { status } = answer;
  if (status === 201) {
    checkStoredDigest(answer, descriptor.digest);
    answer.body.discard();
    return { kind: "stored" };
  }
  const reason = `it answered ${status}`;
  if (status === 200 || status === 202 || status === 204) {
    answer.body.discard();
    const error = new RegistryError(
      "BAD_RESPONSE",
      `Cannot ${request.what}: ${reason} and does not have it`,
      {
        registry: session.registry,
        repository: request.repository,
        status,
      },
    );
    return { kind: "failed", reason, error, mayGoOn: false };
  }
  const error = await session.refuse(answer, request);
  if (status === 413) return { kind: "too-large", error };
  if (isRetriedStatus(status) || status === 404 || status === 416) {
    const asked = parseRetryAfter(answer.headers.one("retry-after"), clock.dateMs());
    if (asked !== undefined && asked > policy.maxRetryAfterMs) throw error;
    const leastWaitMs = asked ?? (status === 429 ? RATE_LIMIT_DELAY_MS : undefined);
    return { kind: "failed", reason, error, leastWaitMs, mayGoOn: isRetriedStatus(status) };
  }
  if (isDigestRefusal(error)) return { kind: "other-bytes", error };
  throw error;
}

function isDigestRefusal(error: Error): boolean {
  return error instanceof RegistryError && error.errors.some(({ code }) => code === "DIGEST_INVALID");
}
