import { orAborted } from "../util/or-aborted.ts";

interface Running<T> {
  readonly result: Promise<T>;
  readonly controller: AbortController;
  waiting: number;
}

/**
 * Work that several wait for, done once. Whoever gives up leaves; when the last one has left, the work is stopped. What came out
 * of it is kept; after a failure, or when it was stopped, the next who joins begins anew.
 */
export class SharedWork<T> {
  readonly #work: (signal: AbortSignal) => Promise<T>;
  #running: Running<T> | undefined;

  constructor(work: (signal: AbortSignal) => Promise<T>) {
    this.#work = work;
  }

  /** Whether somebody waits for it. */
  get isAwaited(): boolean {
    return (this.#running?.waiting ?? 0) > 0;
  }

  /** @throws what the work throws, or the signal's reason */
  async join(signal: AbortSignal | undefined): Promise<T> {
    signal?.throwIfAborted();
    const running = this.#running ?? this.#begin();
    running.waiting++;
    try {
      return await orAborted(running.result, signal);
    } finally {
      running.waiting--;
      if (running.waiting === 0 && signal?.aborted === true) {
        if (this.#running === running) this.#running = undefined;
        running.controller.abort(signal.reason);
      }
    }
  }

  #begin(): Running<T> {
    const controller = new AbortController();
    const running: Running<T> = { result: this.#work(controller.signal), controller, waiting: 0 };
    this.#running = running;
    // Whoever waits gets the failure; if all have left it is nobody's.
    running.result.catch(() => {
      if (this.#running === running) this.#running = undefined;
    });
    return running;
  }
}
