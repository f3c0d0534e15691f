import type { Clock } from "../clock.ts";

/** Connections of all downloads together beyond the one that each has: bounds memory, and is polite. */
const MAX_EXTRA = 4;
/** After a trial that brought nothing a host is left alone for this long, then for twice as long, and so on. */
const REST_MS = 30_000;

interface Rest {
  readonly untilMs: number;
  readonly durationMs: number;
}

/** What the downloads of one client know of each other: how fast they are together, who may use more connections. */
export class BlobStreams {
  readonly #clock: Clock;
  readonly #resting = new Map<string, Rest>();
  #extra = 0;
  #totalBytes = 0;
  #isTrying = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Bytes that have come so far, of all blobs. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** Connections that may be added. */
  get free(): number {
    return MAX_EXTRA - this.#extra;
  }

  arrived(bytes: number): void {
    this.#totalBytes += bytes;
  }

  /** Passes a download's bytes on, adding them to the total. */
  async *count(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of bytes) {
      this.arrived(chunk.byteLength);
      yield chunk;
    }
  }

  /** Adds connections or, negative, gives them back. */
  add(connections: number): void {
    this.#extra += connections;
  }

  /** Whether more connections to this host may be tried now. One trial at a time: two could not be told apart. */
  beginTrial(host: string): boolean {
    const rest = this.#resting.get(host);
    if (this.#isTrying || (rest !== undefined && this.#clock.nowMs() < rest.untilMs)) return false;
    this.#isTrying = true;
    return true;
  }

  endTrial(): void {
    this.#isTrying = false;
  }

  /** More connections to this host brought nothing just now. */
  rest(host: string): void {
    const durationMs = 2 * (this.#resting.get(host)?.durationMs ?? REST_MS / 2);
    this.#resting.set(host, { durationMs, untilMs: this.#clock.nowMs() + durationMs });
  }

  /** This host does not serve ranges, or not several at a time. */
  refuse(host: string): void {
    this.#resting.set(host, { durationMs: REST_MS, untilMs: Number.POSITIVE_INFINITY });
  }
}
