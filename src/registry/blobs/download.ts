import { type Descriptor, OciError } from "../../oci/index.ts";
import { sleep } from "../clock.ts";
import { RegistryError } from "../error.ts";
import type { OnRegistryEvent } from "../events.ts";
import type { HostSession } from "../host-session.ts";
import { NetworkError } from "../transport/network-error.ts";
import { impatient, isRetriedFault, RetryBudget, type RetryPolicy } from "../transport/retry.ts";
import type { Answer } from "../transport/sender.ts";
import { BlobVersion } from "./blob-version.ts";
import { FlowMeter } from "./flow-meter.ts";
import { type BlobRequest, type RequestBlobDeps, requestBlob } from "./request-blob.ts";

/** New bytes after which a broken download counts as moving, so that it may break as often again. */
const PROGRESS_BYTES = 1024 * 1024;

export interface BlobFetchDeps extends Pick<RequestBlobDeps, "clock" | "storage"> {
  readonly policy: RetryPolicy;
  readonly onEvent: OnRegistryEvent | undefined;
  /** Whom to ask, best first; asked anew for every try. The last is the registry itself. */
  readonly readers: () => Promise<readonly HostSession[]>;
  /** Hosts that are not asked for this blob, or no longer; added to here. */
  readonly given?: Set<HostSession> | undefined;
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
    const { clock, storage } = this.#deps;
    const readers = await this.#deps.readers();
    const upstream = readers.at(-1);
    for (const session of readers) {
      if (this.#given.has(session)) continue;
      this.#isLast = session === upstream;
      try {
        const request = { ...this.#request, offset: this.#offset };
        const deps = { clock, storage, tries: this.#tries, version: this.#version };
        const { answer, surplus } = await requestBlob(session, request, deps);
        this.#answer = answer;
        this.#surplus = surplus;
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
}

function corrupt({ digest }: Descriptor, fault: string): OciError {
  return new OciError("BLOB_CORRUPT", `Cannot pull blob "${digest}": the registry ${fault}`);
}
