import { type Clock, sleep } from "../clock.ts";
import { NetworkError } from "./network-error.ts";

/** Holds back every request to a host that has asked for a pause, so that its workers wait once and together. */
export class HostGate {
  readonly #clock: Clock;
  readonly #maxWaitMs: number;
  #openAtMs = 0;

  /** A pause longer than `maxWaitMs` is not waited for: until it is over nothing is sent at all. */
  constructor(clock: Clock, maxWaitMs = Number.POSITIVE_INFINITY) {
    this.#clock = clock;
    this.#maxWaitMs = maxWaitMs;
  }

  /** Nothing passes for that long; a longer pause already running stays. Returns how long it now is. */
  close(durationMs: number): number {
    this.#openAtMs = Math.max(this.#openAtMs, this.#clock.nowMs() + durationMs);
    return this.#openAtMs - this.#clock.nowMs();
  }

  /** @throws {NetworkError} paused */
  async pass(signal?: AbortSignal): Promise<void> {
    for (;;) {
      const left = this.#openAtMs - this.#clock.nowMs();
      if (left <= 0) return;
      if (left > this.#maxWaitMs) {
        throw new NetworkError("paused", `it wants to be asked again in ${Math.ceil(left / 1000)} s`);
      }
      await sleep(this.#clock, left, signal);
    }
  }
}
