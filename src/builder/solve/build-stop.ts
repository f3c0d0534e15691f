import { setMaxListeners } from "node:events";

/**
 * How long steps that run when another fails may go on: what is nearly done gets into the cache and need not be done again,
 * and nobody waits long to fix what failed. What is known of a step says little of how long it will still take, so all get the same.
 */
const GRACE_MS = 5000;

/** Brings a build to its end: at once when the caller wants it, with a grace for running steps when a step has failed. */
export class BuildStop {
  /** Aborted when what runs must end. */
  readonly signal: AbortSignal;
  /** Aborted when nothing new may begin; never later than `signal`. */
  readonly beginSignal: AbortSignal;
  readonly #abort = new AbortController();
  readonly #halt = new AbortController();
  readonly #graceMs: number;

  /** @param signal the caller's */
  constructor(signal: AbortSignal | undefined, graceMs: number = GRACE_MS) {
    this.#graceMs = graceMs;
    this.signal = signal === undefined ? this.#abort.signal : AbortSignal.any([signal, this.#abort.signal]);
    this.beginSignal = AbortSignal.any([this.signal, this.#halt.signal]);
    // Every step that runs listens, and there is no bound to their number.
    setMaxListeners(0, this.signal, this.beginSignal);
  }

  /**
   * Ends a build that has failed. Resolves when nothing of it goes on any more.
   * @param settled resolves then; asked again after what runs was told to end
   */
  async end(error: unknown, settled: () => Promise<void>): Promise<void> {
    this.#halt.abort(error);
    if (!this.signal.aborted) await Promise.race([settled(), this.#grace()]);
    this.#abort.abort(error);
    await settled();
  }

  /** Ends when the grace is over, or the caller has none. */
  #grace(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#graceMs);
      // A build that settles earlier must not keep the process waiting for this.
      timer.unref();
      this.signal.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
