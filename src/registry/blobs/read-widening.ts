import { RegistryError } from "../error.ts";
import type { HostSession } from "../host-session.ts";
import type { RetryPolicy } from "../transport/retry.ts";
import type { BlobStreams } from "./blob-streams.ts";
import { decideStreams, type StreamBaseline } from "./decide-streams.ts";
import { type BlobFetchDeps, Download } from "./download.ts";
import { FlowWindow } from "./flow-window.ts";
import { PieceReader } from "./piece-reader.ts";
import type { BlobRequest } from "./request-blob.ts";

const MAX_PIECE_BYTES = 4 * 1024 * 1024;
const MIN_PIECE_BYTES = 1024 * 1024;
/** Four streams hold five pieces: with pieces of this part of the blob, a process that dies loses less than 8 % of it. */
const PIECES_PER_BLOB = 64;
/** New connections come up to speed before they are judged. */
const WARM_UP_MS = 1_000;
/** A piece that cannot be had is not worth long waiting: the blob can still be read in one go, which waits longer. */
const PIECE_TRIES = 3;

type Deps = BlobFetchDeps & { readonly streams: BlobStreams };

/**
 * Reads a large blob over one connection, and over more for as long as that makes it faster. Whether it does is
 * tried out: neither the line nor the server tells. Whatever goes wrong with more, it goes on with one.
 * @throws what `Download` throws
 */
export async function* readWidening(
  begin: Download,
  request: BlobRequest,
  deps: Deps,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { descriptor, signal } = request;
  let download = begin;
  let { offset } = request;
  for (;;) {
    const single = new SingleStream(download, { ...request, offset }, deps);
    yield* single.bytes();
    offset = single.offset;
    if (single.baseline === undefined) return;
    const host = download.host ?? "";
    const wide = new WideStream(host, single.baseline, { ...request, offset }, deps);
    yield* wide.bytes();
    offset = wide.offset;
    signal?.throwIfAborted();
    if (offset >= descriptor.size) return;
    download = await new Download({ ...request, offset }, deps).open();
  }
}

/** Reads over one connection until the end, or until more are worth a trial. */
class SingleStream {
  readonly #download: Download;
  readonly #request: BlobRequest;
  readonly #deps: Deps;
  offset: number;
  /** How it went, when it ended because more are worth a trial, which has begun with this. */
  baseline: StreamBaseline | undefined;

  constructor(download: Download, request: BlobRequest, deps: Deps) {
    this.#download = download;
    this.#request = request;
    this.#deps = deps;
    this.offset = request.offset;
  }

  async *bytes(): AsyncGenerator<Uint8Array, void, undefined> {
    const { clock, streams } = this.#deps;
    const { size } = this.#request.descriptor;
    let window = new FlowWindow(clock, streams);
    let sinceMs = clock.nowMs();
    for await (const chunk of streams.count(this.#download.bytes())) {
      window.waited(clock.nowMs() - sinceMs);
      window.read(chunk.byteLength);
      this.offset += chunk.byteLength;
      yield chunk;
      sinceMs = clock.nowMs();
      const flow = window.flow();
      const bytesLeft = size - this.offset;
      const wanted = decideStreams({ ...flow, streams: 1, bytesLeft, free: streams.free });
      if (wanted === undefined) continue;
      if (wanted > 1 && streams.beginTrial(this.#download.host ?? "")) {
        this.baseline = { streams: 1, ownRate: flow.ownRate, totalRate: flow.totalRate };
        return;
      }
      window = new FlowWindow(clock, streams);
    }
  }
}

/** Reads over two connections, then four, as long as more bring more; ends when one is as good. */
class WideStream {
  readonly #host: string;
  readonly #deps: Deps;
  readonly #size: number;
  readonly #reader: PieceReader;
  readonly #signal: AbortSignal | undefined;
  #before: StreamBaseline;
  #count = 2;

  /** Has begun a trial, which it ends. */
  constructor(host: string, before: StreamBaseline, request: BlobRequest, deps: Deps) {
    const { descriptor, repository, offset, transient, signal } = request;
    this.#host = host;
    this.#deps = deps;
    this.#before = before;
    this.#size = descriptor.size;
    this.#signal = signal;
    const given = new Set(deps.given);
    const pieceDeps = {
      ...deps,
      given,
      storage: new Map<HostSession, URL>(),
      policy: shortened(deps.policy),
    };
    this.#reader = new PieceReader({
      offset,
      end: descriptor.size,
      pieceBytes: choosePieceBytes(descriptor.size),
      streams: this.#count,
      transient,
      open: async ({ first, end }, inner) => {
        const piece = { repository, descriptor, offset: first, end, transient: true, signal: inner };
        return (await new Download(piece, pieceDeps).open()).bytes();
      },
      onArrival: (bytes) => deps.streams.arrived(bytes),
      signal,
    });
  }

  get offset(): number {
    return this.#reader.offset;
  }

  async *bytes(): AsyncGenerator<Uint8Array, void, undefined> {
    const { streams } = this.#deps;
    streams.add(this.#count - 1);
    let isTrial = true;
    try {
      const trial = this.#watch();
      for await (const chunk of this.#reader.bytes()) {
        yield chunk;
        if (isTrial && trial(chunk.byteLength) === "over") {
          isTrial = false;
          streams.endTrial();
        }
      }
      this.#noteFailure();
    } finally {
      if (isTrial) streams.endTrial();
      streams.add(1 - this.#count);
    }
  }

  #noteFailure(): void {
    const { failure } = this.#reader;
    if (failure === undefined || this.#signal?.aborted === true) return;
    const isRefusal = failure.error instanceof RegistryError && failure.error.code === "UNSUPPORTED";
    if (isRefusal) this.#deps.streams.refuse(this.#host);
    else this.#deps.streams.rest(this.#host);
  }

  /** Judges the trial with every chunk that is read; says when nothing is left to try. */
  #watch(): (bytes: number) => "over" | undefined {
    const { clock, streams } = this.#deps;
    let warmMs = clock.nowMs() + WARM_UP_MS;
    let window: FlowWindow | undefined;
    return (bytes) => {
      if (window === undefined) {
        if (clock.nowMs() >= warmMs) window = new FlowWindow(clock, streams);
        return undefined;
      }
      window.read(bytes);
      const flow = window.flow();
      const wanted = decideStreams({
        ...flow,
        streams: this.#count,
        // Whether the reader was the limit was known before there were more; now pieces wait for it, or it for them.
        waitedMs: flow.elapsedMs,
        bytesLeft: this.#size - this.offset,
        free: streams.free,
        before: this.#before,
      });
      if (wanted === undefined) return undefined;
      if (wanted > this.#count) {
        this.#before = { streams: this.#count, ownRate: flow.ownRate, totalRate: flow.totalRate };
        this.#use(wanted);
        warmMs = clock.nowMs() + WARM_UP_MS;
        window = undefined;
        return undefined;
      }
      if (wanted === 1) streams.rest(this.#host);
      if (wanted < this.#count) this.#use(wanted);
      return "over";
    };
  }

  #use(count: number): void {
    this.#deps.streams.add(count - this.#count);
    this.#count = count;
    this.#reader.streams = count === 1 ? 0 : count;
  }
}

/** Bytes of one request where a blob is read over several connections. */
function choosePieceBytes(size: number): number {
  return Math.min(MAX_PIECE_BYTES, Math.max(MIN_PIECE_BYTES, Math.floor(size / PIECES_PER_BLOB)));
}

function shortened(policy: RetryPolicy): RetryPolicy {
  return { ...policy, maxAttempts: Math.min(policy.maxAttempts, PIECE_TRIES) };
}
