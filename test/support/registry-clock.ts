import type { Clock } from "../../src/registry/index.ts";

/** A clock that stands still until told otherwise. */
export class ManualClock implements Clock {
  #nowMs = 1_000_000;
  #timers: { readonly atMs: number; readonly callback: () => void }[] = [];
  #onTimer: () => void = () => {};

  /** How many wait. */
  get timers(): number {
    return this.#timers.length;
  }

  /** Until somebody begins to wait. */
  nextTimer(): Promise<void> {
    return new Promise((resolve) => {
      this.#onTimer = resolve;
    });
  }

  nowMs(): number {
    return this.#nowMs;
  }

  dateMs(): number {
    return this.#nowMs;
  }

  random(): number {
    return 1;
  }

  schedule(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, callback };
    this.#timers.push(timer);
    this.#onTimer();
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Moves on, calling back whoever waits for that, and lets promises settle. */
  async advance(durationMs: number): Promise<void> {
    this.#nowMs += durationMs;
    const due = this.#timers.filter(({ atMs }) => atMs <= this.#nowMs);
    this.#timers = this.#timers.filter(({ atMs }) => atMs > this.#nowMs);
    for (const { callback } of due) callback();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A clock whose waits end at once, and which notes how long they would have been. */
export class HastyClock implements Clock {
  readonly waits: number[] = [];
  #aheadMs = 0;

  nowMs(): number {
    return performance.now() + this.#aheadMs;
  }

  dateMs(): number {
    return Date.now() + this.#aheadMs;
  }

  random(): number {
    return 1;
  }

  schedule(delayMs: number, callback: () => void): () => void {
    const timer = setImmediate(() => {
      this.waits.push(Math.round(delayMs));
      this.#aheadMs += delayMs;
      callback();
    });
    return () => clearImmediate(timer);
  }

  /** Lets time pass. */
  skip(durationMs: number): void {
    this.#aheadMs += durationMs;
  }
}

/** Real time, so many times as fast: pauses of seconds take milliseconds, and keep their order. */
export class FastClock implements Clock {
  readonly scale: number;
  readonly #random: () => number;

  constructor(scale: number, random: () => number) {
    this.scale = scale;
    this.#random = random;
  }

  nowMs(): number {
    return performance.now() * this.scale;
  }

  dateMs(): number {
    return this.nowMs();
  }

  random(): number {
    return this.#random();
  }

  schedule(delayMs: number, callback: () => void): () => void {
    const timer = setTimeout(callback, delayMs / this.scale);
    return () => clearTimeout(timer);
  }
}
