import type { BlobOpener, Descriptor } from "../../oci/index.ts";
import { type Clock, sleep } from "../clock.ts";
import type { HostSession, RegistryRequest } from "../host-session.ts";
import { isRetriedStatus, type RetryBudget } from "../transport/retry.ts";
import type { Answer } from "../transport/sender.ts";
import { answerOrLoss } from "./answer-or-loss.ts";
import { afterChunk, afterDoubt, type ChunkDecision, type ChunkState, storedBytes } from "./chunk-answer.ts";
import { uploadBody } from "./upload-body.ts";
import { resolveUploadLocation } from "./upload-location.ts";

/** Refused that often for the same place, a registry and we do not understand each other. */
const MAX_RANGE_REFUSALS = 3;

export interface ChunkedUploadOptions {
  readonly descriptor: Descriptor;
  readonly open: BlobOpener;
  /** An open upload session. */
  readonly location: URL;
  /** Bytes that the session has already. */
  readonly offset?: number | undefined;
  readonly chunkBytes: number;
  readonly clock: Clock;
  readonly budget: RetryBudget;
  readonly signal?: AbortSignal | undefined;
  readonly onSent?: ((sent: number) => void) | undefined;
  readonly request: (method: string, target: URL) => RegistryRequest;
}

export type ChunkedUploadResult =
  /** Everything is there; the location is what finishes the session. */
  | { readonly kind: "sent"; readonly location: URL }
  /** A new session is needed. */
  | { readonly kind: "restart"; readonly reason: string; readonly error: Error }
  /** The pieces are too large for something on the way. */
  | { readonly kind: "too-large"; readonly error: Error };

/**
 * Sends a blob in pieces, for what cannot pass in one. Goes on where the registry says that it stands; never sends a
 * piece again on its own opinion.
 * @throws {RegistryError} when a piece is refused for good
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-a-blob-in-chunks
 */
export async function uploadChunks(
  session: HostSession,
  options: ChunkedUploadOptions,
): Promise<ChunkedUploadResult> {
  const { descriptor, open, chunkBytes, clock, budget, signal, onSent } = options;
  let location = options.location;
  let state: ChunkState = { offset: options.offset ?? 0, told: options.offset ?? 0 };
  let refusals = 0;
  while (state.offset < descriptor.size) {
    const { offset } = state;
    const end = Math.min(descriptor.size, offset + chunkBytes);
    const request: RegistryRequest = {
      ...options.request("PATCH", location),
      headers: { "content-type": "application/octet-stream", "content-range": `${offset}-${end - 1}` },
      body: () => uploadBody(descriptor, open, { offset, end, signal, onSent }),
      retries: false,
    };
    const { answer, lost } = await answerOrLoss(session, request);
    let decision: ChunkDecision;
    let error: Error = lost ?? new Error("unreachable");
    if (answer !== undefined && answer.status >= 200 && answer.status <= 204) {
      answer.body.discard();
      location = moved(answer, location);
      decision = afterChunk(state, end, answer.headers.one("range"));
    } else {
      if (answer !== undefined) error = await session.refuse(answer, request);
      if (answer?.status === 413) return { kind: "too-large", error };
      if (answer?.status === 416) {
        if (++refusals >= MAX_RANGE_REFUSALS)
          return { kind: "restart", reason: "it refuses every range", error };
        location = moved(answer, location);
      } else if (answer !== undefined && !isRetriedStatus(answer.status) && answer.status !== 404) {
        throw error;
      }
      let told = answer?.status === 416 ? answer.headers.one("range") : undefined;
      if (told === undefined) {
        const asked = await askSession(session, options.request("GET", location));
        told = asked?.range;
        location = asked?.location ?? location;
      }
      decision = afterDoubt(state, end, told);
    }
    if (decision.kind === "restart") return { kind: "restart", reason: decision.reason, error };
    if (decision.state.offset > offset) {
      budget.progress();
      refusals = 0;
    } else {
      const waitMs = budget.fail();
      if (waitMs === undefined) throw error;
      await sleep(clock, waitMs, signal);
    }
    state = decision.state;
    onSent?.(state.offset);
  }
  return { kind: "sent", location };
}

/**
 * How many bytes a session has, and where it goes on; undefined where there is none any more, or where the registry does
 * not tell.
 */
export async function findSession(
  session: HostSession,
  request: RegistryRequest,
): Promise<{ readonly location: URL; readonly offset: number } | undefined> {
  const asked = await askSession(session, request);
  const offset = storedBytes(asked?.range);
  return asked === undefined || offset === undefined ? undefined : { location: asked.location, offset };
}

async function askSession(
  session: HostSession,
  request: RegistryRequest,
): Promise<{ readonly location: URL; readonly range: string | undefined } | undefined> {
  try {
    const answer = await session.request(request);
    answer.body.discard();
    if (answer.status !== 204 && answer.status !== 202) return undefined;
    return { location: moved(answer, answer.url), range: answer.headers.one("range") };
  } catch {
    request.signal?.throwIfAborted();
    return undefined;
  }
}

function moved(answer: Answer, current: URL): URL {
  const location = resolveUploadLocation(answer.headers.one("location"), answer.url);
  return location instanceof URL ? location : current;
}
