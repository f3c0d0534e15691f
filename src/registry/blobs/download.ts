import { type Descriptor, type Digest, OciError } from "../../oci/index.ts";
import { repositoryScope } from "../auth/scope.ts";
import { type Clock, sleep } from "../clock.ts";
import { RegistryError } from "../error.ts";
import type { OnRegistryEvent } from "../events.ts";
import type { HostSession, RegistryRequest } from "../host-session.ts";
import { parseContentRange } from "../transport/content-range.ts";
import { NetworkError } from "../transport/network-error.ts";
import { impatient, isRetriedFault, RetryBudget, type RetryPolicy } from "../transport/retry.ts";
import type { Answer } from "../transport/sender.ts";
import { BlobVersion } from "./blob-version.ts";
import { FlowMeter } from "./flow-meter.ts";

/** New bytes after which a broken download counts as moving, so that it may break as often again. */
const PROGRESS_BYTES = 1024 * 1024;
/** From this size on a faster way of reading pays for a connection of its own. */
const BULK_BYTES = 1024 * 1024;

export interface BlobRequest {
  readonly repository: string;
  readonly descriptor: Descriptor;
  /** First byte wanted; below the size, except for an empty blob. */
  readonly offset: number;
  /** First byte not wanted any more; the blob's end when absent. A host that does not keep to it is not read from. */
  readonly end?: number | undefined;
  /** See `OpenBlobOptions`. */
  readonly transient?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface BlobFetchDeps {
  readonly clock: Clock;
  readonly policy: RetryPolicy;
  readonly onEvent: OnRegistryEvent | undefined;
  /** Whom to ask, best first; asked anew for every try. The last is the registry itself. */
  readonly readers: () => Promise<readonly HostSession[]>;
  /** Hosts that are not asked for this blob, or no longer; added to here. */
  readonly given?: Set<HostSession> | undefined;
  /**
   * Where hosts have sent us for this blob: the next range is asked for there, which spares the registry a request.
   * Such links expire; then the host is asked for a new one.
   */
  readonly storage?: Map<HostSession, URL> | undefined;
}

/**
 * One blob, or a range of it, over one connection at a time: goes on over broken connections at the byte where they
 * broke, from the next host if one keeps failing. Open it, then read it; once.
 */
export class Download {
  readonly #request: BlobRequest;
  readonly #deps: BlobFetchDeps;
  /** Tries at the registry itself, and at mirrors, after which there is somebody else to ask. */
  readonly #lastTries: RetryBudget;
  readonly #mirrorTries: RetryBudget;
  #isLast = false;
  readonly #end: number;
  /** Next byte to hand out. */
  #offset: number;
  #progressMark: number;
  #answer: Answer | undefined;
  /** Bytes at the start of the answer's body that were handed out before. */
  #surplus = 0;
  #session: HostSession | undefined;
  readonly #version = new BlobVersion();
  /** Hosts that will not be asked again for this blob. */
  readonly #given: Set<HostSession>;

  constructor(request: BlobRequest, deps: BlobFetchDeps) {
    this.#request = request;
    this.#deps = deps;
    this.#lastTries = new RetryBudget(deps.policy, deps.clock);
    this.#mirrorTries = new RetryBudget(impatient(deps.policy), deps.clock);
    this.#given = deps.given ?? new Set();
    this.#end = request.end ?? request.descriptor.size;
    this.#offset = request.offset;
    this.#progressMark = request.offset;
  }

  /** Who is answering; undefined before it has been opened. */
  get host(): string | undefined {
    return this.#session?.endpoint.host;
  }

  get #tries(): RetryBudget {
    return this.#isLast ? this.#lastTries : this.#mirrorTries;
  }

  /** Gets an answer whose body holds the byte at the offset. */
  async open(): Promise<this> {
    const readers = await this.#deps.readers();
    const upstream = readers.at(-1);
    for (const session of readers) {
      if (this.#given.has(session)) continue;
      this.#isLast = session === upstream;
      try {
        this.#answer = await this.#ask(session);
        this.#session = session;
        return this;
      } catch (error) {
        this.#request.signal?.throwIfAborted();
        if (session === upstream) throw error;
        this.#given.add(session);
        session.warn(
          `Mirror ${session.endpoint.host} has no blob "${this.#request.descriptor.digest}" for us`,
        );
      }
    }
    throw new Error("the registry itself is always the last to be asked");
  }

  async *bytes(): AsyncGenerator<Uint8Array, void, undefined> {
    const { signal } = this.#request;
    while (this.#offset < this.#end || this.#answer !== undefined) {
      if (this.#answer === undefined) await this.open();
      let fault: NetworkError | undefined;
      try {
        yield* this.#body();
        if (this.#offset >= this.#end) return;
        fault = new NetworkError("reset", "the connection was closed too early");
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof NetworkError)) throw error;
        fault = error;
      }
      await this.#recover(fault);
    }
  }

  /** The rest of the current answer. */
  async *#body(): AsyncGenerator<Uint8Array, void, undefined> {
    const answer = this.#answer;
    const { descriptor } = this.#request;
    if (answer === undefined) return;
    const meter = new FlowMeter(this.#deps.clock);
    this.#answer = undefined;
    for await (const piece of meter.watch(answer.body)) {
      let chunk = piece;
      if (this.#surplus > 0) {
        const dropped = Math.min(this.#surplus, chunk.byteLength);
        this.#surplus -= dropped;
        if (dropped === chunk.byteLength) continue;
        chunk = chunk.subarray(dropped);
      }
      this.#offset += chunk.byteLength;
      if (this.#offset > this.#end) throw corrupt(descriptor, `sent more than its ${descriptor.size} bytes`);
      if (this.#offset - this.#progressMark >= PROGRESS_BYTES) {
        this.#progressMark = this.#offset;
        this.#tries.progress();
      }
      yield chunk;
    }
  }

  /** Waits before the next try, or gives up on this host; throws when it is the last. */
  async #recover(fault: NetworkError): Promise<void> {
    const { clock, onEvent } = this.#deps;
    const { descriptor, repository, signal } = this.#request;
    const session = this.#session;
    if (session === undefined) throw fault;
    const attempt = this.#tries.attempts + 1;
    const waitMs = isRetriedFault(fault, { loopback: false, attempt }) ? this.#tries.fail() : undefined;
    const registry = session.endpoint.host;
    if (waitMs === undefined) {
      const readers = await this.#deps.readers();
      if (session === readers.at(-1)) {
        throw new RegistryError(
          fault.fault === "timeout" ? "TIMED_OUT" : "UNREACHABLE",
          `Cannot pull blob "${descriptor.digest}" of ${session.registry}/${repository}: ${registry}: ${fault.message} at byte ${this.#offset} of ${descriptor.size}`,
          { registry: session.registry, repository, method: "GET", attempts: attempt, cause: fault },
        );
      }
      this.#given.add(session);
      this.#tries.progress();
      return;
    }
    onEvent?.({
      kind: "retried",
      registry,
      request: `GET ${repository}/blobs/${descriptor.digest} from byte ${this.#offset}`,
      attempt,
      waitMs,
      reason: fault.message,
    });
    await sleep(clock, waitMs, signal);
  }

  async #ask(session: HostSession): Promise<Answer> {
    const { descriptor, signal } = this.#request;
    const repository = session.wireName(this.#request.repository);
    const { digest, size } = descriptor;
    const offset = this.#offset;
    const end = this.#request.end;
    const range =
      offset > 0 || end !== undefined ? `bytes=${offset}-${end === undefined ? "" : end - 1}` : undefined;
    const version = range === undefined || end !== undefined ? undefined : this.#version.of(session);
    const request: RegistryRequest = {
      what: `pull blob "${digest}" of ${session.registry}/${this.#request.repository}`,
      method: "GET",
      target: `${repository}/blobs/${digest}`,
      repository,
      scopes: [repositoryScope(repository, "pull")],
      headers:
        range === undefined
          ? undefined
          : { range, ...(version === undefined ? {} : { "if-range": version }) },
      budget: this.#tries,
      missing: "BLOB_NOT_FOUND",
      bulk: end !== undefined || size - offset >= BULK_BYTES,
      transient: this.#request.transient,
      signal,
    };
    let mayBeDirect = true;
    for (;;) {
      const storage = mayBeDirect ? this.#deps.storage?.get(session) : undefined;
      const answer = await session.request(storage === undefined ? request : { ...request, target: storage });
      const { status, headers } = answer;
      if (storage !== undefined && status !== 206) {
        answer.body.discard();
        mayBeDirect = false;
        if (this.#deps.storage?.get(session) === storage) this.#deps.storage.delete(session);
        continue;
      }
      if (status === 206 && range !== undefined) {
        const given = parseContentRange(headers.one("content-range"));
        const isWanted = given?.first === offset && (end === undefined || given.last === end - 1);
        if (isWanted && (given.total === undefined || given.total === size)) {
          if (answer.hops.length > 0) this.#deps.storage?.set(session, answer.url);
          this.#surplus = 0;
          this.#version.note(session, answer);
          return answer;
        }
        answer.body.discard();
        if (end !== undefined) throw noRanges(session, digest);
        return await this.#askWhole(session, request);
      }
      if (status === 200 && end === undefined) {
        checkLength(answer, size, session, digest);
        this.#surplus = offset;
        if (version !== undefined) this.#version.refused(session);
        this.#version.note(session, answer);
        return answer;
      }
      if (status === 200) answer.body.discard();
      if (end !== undefined && (status === 200 || status === 416)) throw noRanges(session, digest);
      if (status === 416) {
        answer.body.discard();
        return await this.#askWhole(session, request);
      }
      // A storage behind the registry refuses links that are too old; the registry gives out new ones.
      const isStorage = answer.hops.length > 0 && (status === 401 || status === 403);
      const waitMs = isStorage ? this.#tries.fail() : undefined;
      if (waitMs === undefined) throw asBlobError(await session.refuse(answer, request), status, digest);
      answer.body.discard();
      await sleep(this.#deps.clock, waitMs, signal);
    }
  }

  /** For hosts that cannot start in the middle: everything again, of which the first part is dropped. */
  async #askWhole(session: HostSession, request: RegistryRequest): Promise<Answer> {
    const { digest, size } = this.#request.descriptor;
    const whole = { ...request, headers: undefined };
    const answer = await session.request(whole);
    if (answer.status !== 200) throw asBlobError(await session.refuse(answer, whole), answer.status, digest);
    checkLength(answer, size, session, digest);
    this.#surplus = this.#offset;
    return answer;
  }
}

function checkLength(answer: Answer, size: number, session: HostSession, digest: Digest): void {
  const stated = answer.headers.one("content-length");
  if (stated === undefined || Number(stated) === size) return;
  answer.body.discard();
  throw new OciError(
    "BLOB_CORRUPT",
    `Cannot pull blob "${digest}": ${session.endpoint.host} has ${stated} bytes for it, not the ${size} of its descriptor`,
  );
}

/** For whoever asked for a range in order to be faster: the blob can still be had in one go. */
function noRanges(session: HostSession, digest: Digest): RegistryError {
  const { host } = session.endpoint;
  return new RegistryError(
    "UNSUPPORTED",
    `Cannot pull a range of blob "${digest}": ${host} answered with something else`,
    { registry: session.registry, method: "GET" },
  );
}

function corrupt({ digest }: Descriptor, fault: string): OciError {
  return new OciError("BLOB_CORRUPT", `Cannot pull blob "${digest}": the registry ${fault}`);
}

/** Whoever reads from any source of blobs looks for this code. */
function asBlobError(error: Error, status: number, digest: Digest): Error {
  if (status !== 404) return error;
  return new OciError("BLOB_NOT_FOUND", error.message, {
    cause: error,
    hint: `The registry has no blob "${digest}" in this repository; the image is incomplete there`,
  });
}
