import { type Clock, sleep } from "../clock.ts";

/** Holds back every request to a host that has asked for a pause, so that its workers wait once and together. */
export class HostGate {
  readonly #clock: Clock;
  #openAtMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Nothing passes for that long; a longer pause already running stays. Returns how long it now is. */
  close(durationMs: number): number {
    this.#openAtMs = Math.max(this.#openAtMs, this.#clock.nowMs() + durationMs);
    return this.#openAtMs - this.#clock.nowMs();
  }

  async pass(signal?: AbortSignal): Promise<void> {
    for (;;) {
      const left = this.#openAtMs - this.#clock.nowMs();
      if (left <= 0) return;
      await sleep(this.#clock, left, signal);
    }
  }
}
