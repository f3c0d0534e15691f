import type { Clock } from "../clock.ts";

/** A registry may learn the referrers API while we run; it is asked again after this. */
const UNSUPPORTED_FOR_MS = 300_000;

/** Remembers that a registry does not have the referrers API, for a while. */
export class ReferrersSupport {
  readonly #clock: Clock;
  #unsupportedUntilMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  isUnsupported(): boolean {
    return this.#clock.nowMs() < this.#unsupportedUntilMs;
  }

  noteUnsupported(): void {
    this.#unsupportedUntilMs = this.#clock.nowMs() + UNSUPPORTED_FOR_MS;
  }
}
