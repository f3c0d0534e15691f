import type { Clock } from "../clock.ts";
import { NetworkError } from "../transport/network-error.ts";

/** A connection that brings less than this much in a minute of waiting is given up for a new one. */
const WINDOW_MS = 60_000;
const LEAST_BYTES_PER_WINDOW = 60 * 1024;

/** Watches the speed of a download, counting only the time spent waiting for bytes. */
export class FlowMeter {
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws {NetworkError} timeout */
  async *watch(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    let waitedMs = 0;
    let count = 0;
    let sinceMs = this.#clock.nowMs();
    for await (const chunk of bytes) {
      waitedMs += this.#clock.nowMs() - sinceMs;
      count += chunk.byteLength;
      if (waitedMs >= WINDOW_MS) {
        if (count < LEAST_BYTES_PER_WINDOW) {
          throw new NetworkError("timeout", `only ${count} bytes came in ${Math.round(waitedMs / 1000)} s`);
        }
        waitedMs = 0;
        count = 0;
      }
      yield chunk;
      sinceMs = this.#clock.nowMs();
    }
  }
}
