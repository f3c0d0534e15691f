import type { Clock } from "../clock.ts";
import type { BlobStreams } from "./blob-streams.ts";

/** Counts what came of one download, and of all, since it was made. */
export class FlowWindow {
  readonly #clock: Clock;
  readonly #streams: BlobStreams;
  readonly #startMs: number;
  readonly #startBytes: number;
  #waitedMs = 0;
  #ownBytes = 0;

  constructor(clock: Clock, streams: BlobStreams) {
    this.#clock = clock;
    this.#streams = streams;
    this.#startMs = clock.nowMs();
    this.#startBytes = streams.totalBytes;
  }

  waited(durationMs: number): void {
    this.#waitedMs += durationMs;
  }

  read(bytes: number): void {
    this.#ownBytes += bytes;
  }

  /** Rates in bytes per second. */
  flow(): {
    readonly elapsedMs: number;
    readonly waitedMs: number;
    readonly ownRate: number;
    readonly totalRate: number;
  } {
    const elapsedMs = this.#clock.nowMs() - this.#startMs;
    const perSecond = 1000 / Math.max(1, elapsedMs);
    return {
      elapsedMs,
      waitedMs: this.#waitedMs,
      ownRate: this.#ownBytes * perSecond,
      totalRate: (this.#streams.totalBytes - this.#startBytes) * perSecond,
    };
  }
}
