import { type BlobOpener, type Descriptor, OciError, splitDigest, verifyBlob } from "../../oci/index.ts";
import { repositoryScope, type Scope } from "../auth/scope.ts";
import { type Clock, sleep } from "../clock.ts";
import { RegistryError } from "../error.ts";
import type { OnRegistryEvent } from "../events.ts";
import type { HostSession, RegistryRequest } from "../host-session.ts";
import { NetworkError } from "../transport/network-error.ts";
import { isRetriedStatus, parseRetryAfter, RetryBudget, type RetryPolicy } from "../transport/retry.ts";
import type { Answer } from "../transport/sender.ts";
import { uploadBody } from "./upload-body.ts";
import { finishUrl, resolveUploadLocation } from "./upload-location.ts";

/** What the server may need to store a blob once it has all of it: seconds for gigabytes on slow disks. */
const COMMIT_TIMEOUT_MS = 300_000;
const COMMIT_MS_PER_BYTE = 1000 / 10_000_000;
const CANCEL_TIMEOUT_MS = 3000;

export interface PushBlobOptions {
  readonly repository: string;
  readonly descriptor: Descriptor;
  readonly open: BlobOpener;
  /** Other repositories of the same registry that may have it, best first. */
  readonly mountFrom: readonly string[];
  readonly signal?: AbortSignal | undefined;
  /** Bytes sent so far in the current try. */
  readonly onSent?: ((sent: number) => void) | undefined;
}

export interface PushBlobDeps {
  readonly clock: Clock;
  readonly policy: RetryPolicy;
  readonly onEvent: OnRegistryEvent | undefined;
}

export type PushBlobResult =
  | { readonly kind: "present" }
  | { readonly kind: "mounted"; readonly from: string }
  | { readonly kind: "uploaded" };

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
    const outcome = await tryMount(session, options, from);
    if (outcome === "mounted") return { kind: "mounted", from };
    started = outcome;
    if (started !== undefined) break;
  }
  await new Upload(session, options, deps).run(started);
  return { kind: "uploaded" };
}

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
  // Storage behind a redirect may know no HEAD, and some registries deny it before a push; an upload is always right.
  if (answer.status >= 500) throw await session.refuse(answer, request);
  return false;
}

function pushScopes(repository: string): readonly Scope[] {
  return [repositoryScope(repository, "pull", "push")];
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
  from: string,
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
      signal,
    });
  } catch (error) {
    signal?.throwIfAborted();
    // Not being allowed to read the other repository is no reason not to push to this one.
    if (error instanceof RegistryError && error.code !== "UNREACHABLE" && error.code !== "TIMED_OUT")
      return undefined;
    throw error;
  }
  answer.body.discard();
  if (answer.status === 201) return "mounted";
  if (answer.status !== 202) return undefined;
  const location = resolveUploadLocation(answer.headers.one("location"), answer.url);
  return location instanceof URL ? location : undefined;
}

/** A try that may have failed: `error` is what to throw when there is to be no other. */
interface Unfinished {
  readonly reason: string;
  readonly error: Error;
  /** What the registry asked for before another. */
  readonly leastWaitMs?: number | undefined;
}

class Upload {
  readonly #session: HostSession;
  readonly #options: PushBlobOptions;
  readonly #deps: PushBlobDeps;
  readonly #budget: RetryBudget;
  #rehashed = false;

  constructor(session: HostSession, options: PushBlobOptions, deps: PushBlobDeps) {
    this.#session = session;
    this.#options = options;
    this.#deps = deps;
    this.#budget = new RetryBudget(deps.policy);
  }

  /** `started` is a session that exists already. */
  async run(started: URL | undefined): Promise<void> {
    let location = started ?? (await this.#start());
    for (;;) {
      const current = location;
      let outcome: "done" | Unfinished;
      try {
        outcome = await this.#send(current);
      } catch (error) {
        await this.#cancel(current);
        throw error;
      }
      if (outcome === "done") return;
      if (await hasBlob(this.#session, this.#options)) return;
      location = await this.#start(outcome);
    }
  }

  /** Lets the registry throw away what it has got of a session that nobody will finish. Its answer does not matter. */
  async #cancel(location: URL): Promise<void> {
    try {
      const signal = AbortSignal.timeout(CANCEL_TIMEOUT_MS);
      const answer = await this.#session.request({
        ...this.#request("DELETE", location),
        signal,
        retries: false,
      });
      answer.body.discard();
    } catch {
      // Registries forget sessions by themselves after a while.
    }
  }

  /** Opens an upload session, after waiting if this is not the first. */
  async #start(after?: Unfinished): Promise<URL> {
    const { clock, onEvent } = this.#deps;
    const { repository, descriptor, signal } = this.#options;
    if (after !== undefined) {
      const waitMs = this.#budget.fail(clock.random(), after.leastWaitMs);
      if (waitMs === undefined) throw after.error;
      onEvent?.({
        kind: "retried",
        registry: this.#session.endpoint.host,
        request: `upload of ${descriptor.digest} to ${repository}`,
        attempt: this.#budget.attempts,
        waitMs,
        reason: after.reason,
      });
      await sleep(clock, waitMs, signal);
    }
    const { algorithm } = splitDigest(descriptor.digest);
    const query = algorithm === "sha256" ? "" : `?digest-algorithm=${algorithm}`;
    const request = this.#request("POST", `${repository}/blobs/uploads/${query}`);
    const answer = await this.#session.request(request);
    if (answer.status < 200 || answer.status > 204) throw await this.#session.refuse(answer, request);
    answer.body.discard();
    return this.#location(answer);
  }

  /** Sends everything in one request. Anything but "done" means: look whether it arrived, else a new session. */
  async #send(location: URL): Promise<"done" | Unfinished> {
    const { descriptor, open, signal, onSent } = this.#options;
    const request: RegistryRequest = {
      ...this.#request("PUT", finishUrl(location, descriptor.digest)),
      headers: { "content-type": "application/octet-stream" },
      body: () => {
        onSent?.(0);
        return uploadBody(descriptor, open, { signal, onSent });
      },
      answerTimeoutMs: COMMIT_TIMEOUT_MS + descriptor.size * COMMIT_MS_PER_BYTE,
      retries: false,
    };
    let answer: Answer;
    try {
      answer = await this.#session.request(request);
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof RegistryError) || !(error.cause instanceof NetworkError)) throw error;
      if (error.code === "TLS_FAILED") throw error;
      return { reason: error.cause.message, error };
    }
    const { status } = answer;
    if (status === 201) {
      this.#checkDigest(answer);
      answer.body.discard();
      return "done";
    }
    if (status === 200 || status === 202 || status === 204) {
      answer.body.discard();
      const error = new RegistryError(
        "BAD_RESPONSE",
        `Cannot push blob "${descriptor.digest}": ${this.#session.registry} answered ${status} and does not have it`,
        { registry: this.#session.registry, repository: this.#options.repository, status },
      );
      return { reason: `it answered ${status}`, error };
    }
    const refused = await this.#session.refuse(answer, request);
    // The session is gone, or in a state that cannot be mended: another one can.
    if (isRetriedStatus(status) || status === 404 || status === 416) {
      const leastWaitMs = parseRetryAfter(answer.headers.one("retry-after"), this.#deps.clock.dateMs());
      if (leastWaitMs !== undefined && leastWaitMs > this.#deps.policy.maxRetryAfterMs) throw refused;
      return { reason: `it answered ${status}`, error: refused, leastWaitMs };
    }
    if (isDigestRefusal(refused) && (await this.#sourceIsGood())) {
      return { reason: "it received other bytes", error: refused };
    }
    throw refused;
  }

  /** Reads the source once more to tell whose fault a refused digest is. @throws {OciError} BLOB_CORRUPT */
  async #sourceIsGood(): Promise<boolean> {
    if (this.#rehashed) return false;
    this.#rehashed = true;
    const { descriptor, open, signal } = this.#options;
    for await (const _chunk of verifyBlob(await open({ offset: 0, signal }), descriptor));
    return true;
  }

  #request(method: string, target: string | URL): RegistryRequest {
    const { repository, descriptor, signal } = this.#options;
    return {
      what: `push blob "${descriptor.digest}"`,
      method,
      target,
      repository,
      scopes: pushScopes(repository),
      budget: this.#budget,
      signal,
    };
  }

  #location(answer: Answer): URL {
    const location = resolveUploadLocation(answer.headers.one("location"), answer.url);
    if (location instanceof URL) return location;
    const { registry } = this.#session;
    throw new RegistryError(
      "BAD_RESPONSE",
      `Cannot push blob "${this.#options.descriptor.digest}": ${registry} answered ${answer.status}, but ${location.fault}`,
      { registry, repository: this.#options.repository, status: answer.status },
    );
  }

  #checkDigest(answer: Answer): void {
    const { digest } = this.#options.descriptor;
    const stated = answer.headers.one("docker-content-digest");
    if (stated === undefined || stated === digest || splitAlgorithm(stated) !== splitAlgorithm(digest))
      return;
    throw new OciError(
      "BLOB_CORRUPT",
      `Cannot push blob "${digest}": the registry stored it as "${stated.slice(0, 200)}"`,
    );
  }
}

function splitAlgorithm(digest: string): string {
  return digest.slice(0, digest.indexOf(":"));
}

function isDigestRefusal(error: Error): boolean {
  return error instanceof RegistryError && error.errors.some(({ code }) => code === "DIGEST_INVALID");
}
