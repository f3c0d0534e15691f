import { splitDigest, verifyBlob } from "../../oci/index.ts";
import { sleep } from "../clock.ts";
import { RegistryError } from "../error.ts";
import type { HostSession, RegistryRequest } from "../host-session.ts";
import { chunkLimits } from "../quirks.ts";
import { RetryBudget } from "../transport/retry.ts";
import type { Answer } from "../transport/sender.ts";
import { cancelUpload } from "./cancel-upload.ts";
import { findSession, uploadChunks } from "./chunked-upload.ts";
import { finishUpload } from "./finish-upload.ts";
import { hasBlob, pushScopes } from "./has-blob.ts";
import type { PushBlobDeps, PushBlobOptions } from "./push-types.ts";
import { uploadBody } from "./upload-body.ts";
import { finishUrl, resolveUploadLocation } from "./upload-location.ts";

/** A try that may have failed: `error` is what to throw when there is to be no other. */
interface Unfinished {
  readonly reason: string;
  readonly error: Error;
  /** What the registry asked for before another. */
  readonly leastWaitMs?: number | undefined;
  /** The next try is of another kind, so there is nothing to wait for. */
  readonly atOnce?: boolean;
  /** The session that it happened in, which may go on. */
  readonly session?: URL;
}

/** An open session, and what it has got so far. */
interface Session {
  readonly location: URL;
  readonly offset: number;
}

/** After a break the rest of a blob goes in so many pieces, so that what is lost with one is little. */
const RESUME_PIECES = 16;
const LEAST_RESUME_BYTES = 256 * 1024;
/** What registries answer to a piece that do not know pieces. */
const NO_PIECES: ReadonlySet<number> = new Set([400, 405, 411, 415, 422, 501]);
/** Past this a blob that was lost on its way twice is sent in pieces. */
const CHUNK_AFTER_LOSSES = 2;
const CHUNK_LOST_BYTES = 32 * 1024 * 1024;
/** A body that broke off so often will not arrive, however long somebody is willing to wait. */
const MAX_WASTED = 10;
const WASTED_BYTES = 1024 * 1024;
/** Pieces are made smaller down to this when something on the way refuses them. */
const LEAST_CHUNK_BYTES = 256 * 1024;

/** Sends one blob, in as many sessions as it takes. */
export class Upload {
  readonly #session: HostSession;
  readonly #options: PushBlobOptions;
  readonly #deps: PushBlobDeps;
  readonly #budget: RetryBudget;
  #rehashed = false;
  #losses = 0;
  /** Bytes of the latest body that went out, and how many bodies went out for nothing. */
  #sentBytes = 0;
  #wasted = 0;
  /** Until the registry turns out not to take pieces. */
  #resumes = true;
  /** What the registry said last that it has. */
  #stored = 0;
  /** Set once the blob has to go in pieces. */
  #chunkBytes: number | undefined;
  /** The least that the registry takes as a piece, if it says. */
  #minChunkBytes = 0;

  constructor(session: HostSession, options: PushBlobOptions, deps: PushBlobDeps) {
    this.#session = session;
    this.#options = options;
    this.#deps = deps;
    this.#budget = new RetryBudget(deps.policy, deps.clock);
  }

  /** `started` is a session that exists already. */
  async run(started: URL | undefined): Promise<void> {
    let session: Session | URL = started ?? (await this.#start());
    for (;;) {
      let outcome: "done" | Unfinished;
      try {
        outcome = await this.#try(session);
      } catch (error) {
        const location = session instanceof URL ? session : session.location;
        await cancelUpload(this.#session, this.#request("DELETE", location));
        throw error;
      }
      if (outcome === "done") return;
      await this.#wait(outcome);
      if (outcome.atOnce !== true && (await hasBlob(this.#session, this.#options))) return;
      session = (await this.#resume(outcome)) ?? (await this.#start());
    }
  }

  async #try(session: Session | URL): Promise<"done" | Unfinished> {
    if (session instanceof URL) {
      if (this.#chunkBytes === undefined) return await this.#send(session);
      return await this.#sendChunks({ location: session, offset: 0 }, this.#chunkBytes);
    }
    const { maxBytes } = chunkLimits(this.#session.endpoint.host);
    const share = Math.max(LEAST_RESUME_BYTES, Math.ceil(this.#options.descriptor.size / RESUME_PIECES));
    try {
      return await this.#sendChunks(session, this.#chunkBytes ?? Math.min(maxBytes, share));
    } catch (error) {
      const status = error instanceof RegistryError ? error.status : undefined;
      if (this.#chunkBytes !== undefined || status === undefined || !NO_PIECES.has(status)) throw error;
      this.#resumes = false;
      return { reason: `it answered ${status} to a piece`, error: error as RegistryError, atOnce: true };
    }
  }

  /**
   * What a session has of a body that broke off, where the registry keeps it and takes the rest in pieces. One that has
   * nothing takes the blob as a new one would: of a PUT whose answer is lost nothing goes twice.
   */
  async #resume({ session }: Unfinished): Promise<Session | URL | undefined> {
    if (session === undefined || !this.#resumes || !chunkLimits(this.#session.endpoint.host).supported)
      return undefined;
    const { descriptor } = this.#options;
    const found = await findSession(this.#session, this.#request("GET", session));
    if (found === undefined || found.offset > descriptor.size) return undefined;
    if (found.offset > this.#stored) {
      this.#budget.progress();
      this.#wasted = 0;
    }
    this.#stored = found.offset;
    return found.offset === 0 ? found.location : found;
  }

  /** Waits before another try. @throws the last one's error when there is to be none */
  async #wait({ atOnce, leastWaitMs, reason, error }: Unfinished): Promise<void> {
    const { clock, onEvent } = this.#deps;
    const { repository, descriptor, signal } = this.#options;
    if (this.#sentBytes >= WASTED_BYTES) {
      if (++this.#wasted >= MAX_WASTED) throw error;
      this.#budget.worked();
      this.#sentBytes = 0;
    }
    const waitMs = atOnce === true ? 0 : this.#budget.fail(leastWaitMs);
    if (waitMs === undefined) throw error;
    onEvent?.({
      kind: "retried",
      registry: this.#session.endpoint.host,
      request: `upload of ${descriptor.digest} to ${repository}`,
      attempt: this.#budget.attempts,
      waitMs,
      reason,
    });
    await sleep(clock, waitMs, signal);
  }

  /** Opens an upload session. */
  async #start(): Promise<URL> {
    const { repository, descriptor } = this.#options;
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
    const sent = (bytes: number): void => {
      this.#sentBytes = bytes;
      onSent?.(bytes);
    };
    return await this.#finish(location, () => {
      sent(0);
      return uploadBody(descriptor, open, { signal, onSent: sent });
    });
  }

  /** Ends a session, with the blob or with nothing more. */
  async #finish(location: URL, body: RegistryRequest["body"]): Promise<"done" | Unfinished> {
    const { descriptor } = this.#options;
    const request = this.#request("PUT", finishUrl(location, descriptor.digest));
    const { clock, policy } = this.#deps;
    const result = await finishUpload(this.#session, { descriptor, request, body, clock, policy });
    switch (result.kind) {
      case "stored":
        return "done";
      case "lost":
        this.#losses++;
        if (this.#losses >= CHUNK_AFTER_LOSSES && descriptor.size > CHUNK_LOST_BYTES) this.#startChunking();
        return { ...result, session: location };
      case "too-large":
        if (!this.#startChunking()) throw result.error;
        return { reason: "it is too large in one piece", error: result.error, atOnce: true };
      case "other-bytes":
        if (!(await this.#sourceIsGood())) throw result.error;
        return { reason: "it received other bytes", error: result.error };
      case "failed":
        return result.mayGoOn ? { ...result, session: location } : result;
      default:
        return result satisfies never;
    }
  }

  /** From now on in pieces, where the registry can. */
  #startChunking(): boolean {
    const { supported, minBytes, maxBytes } = chunkLimits(this.#session.endpoint.host);
    if (!supported) return false;
    this.#chunkBytes = Math.max(minBytes, maxBytes);
    return true;
  }

  async #sendChunks({ location, offset }: Session, chunkBytes: number): Promise<"done" | Unfinished> {
    const { descriptor, open, signal, onSent } = this.#options;
    onSent?.(offset);
    const result = await uploadChunks(this.#session, {
      descriptor,
      open,
      location,
      offset,
      chunkBytes: Math.max(chunkBytes, this.#minChunkBytes),
      clock: this.#deps.clock,
      budget: this.#budget,
      signal,
      onSent,
      request: (method, target) => this.#request(method, target),
    });
    if (result.kind === "restart") return result;
    if (result.kind === "too-large") {
      const smaller = Math.floor(chunkBytes / 4);
      if (smaller < LEAST_CHUNK_BYTES || smaller < this.#minChunkBytes) throw result.error;
      this.#chunkBytes = smaller;
      return { reason: "the pieces are too large", error: result.error, atOnce: true };
    }
    return await this.#finish(result.location, undefined);
  }

  /** Reads the source once more to tell whose fault a refused digest is. @throws {OciError} BLOB_CORRUPT */
  async #sourceIsGood(): Promise<boolean> {
    if (this.#rehashed) return false;
    this.#rehashed = true;
    const { descriptor, open, signal } = this.#options;
    for await (const _chunk of verifyBlob(await open({ offset: 0, signal }), descriptor));
    return true;
  }

  get #what(): string {
    const { repository, descriptor } = this.#options;
    return `push blob "${descriptor.digest}" to ${this.#session.registry}/${repository}`;
  }

  #request(method: string, target: string | URL): RegistryRequest {
    const { repository, signal } = this.#options;
    return {
      what: this.#what,
      method,
      target,
      repository,
      scopes: pushScopes(repository),
      signal,
    };
  }

  #location(answer: Answer): URL {
    const minLength = answer.headers.one("oci-chunk-min-length") ?? "";
    if (/^\d{1,12}$/.test(minLength)) this.#minChunkBytes = Number(minLength);
    const location = resolveUploadLocation(answer.headers.one("location"), answer.url);
    if (location instanceof URL) return location;
    const { registry } = this.#session;
    throw new RegistryError(
      "BAD_RESPONSE",
      `Cannot ${this.#what}: it answered ${answer.status}, but ${location.fault}`,
      { registry, repository: this.#options.repository, status: answer.status },
    );
  }
}
