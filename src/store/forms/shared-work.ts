import { orAborted } from "../../util/or-aborted.ts";

/** Work under way by key: equal calls get one run of it. */
export class SharedWork<T> {
  readonly #running = new Map<string, Run<T>>();

  /**
   * Joins the run of `key`, or starts it. A caller whose signal aborts leaves with the signal's reason while the
   * others go on waiting; when the last one leaves, the work's signal aborts and the work's end is awaited.
   */
  async run(
    key: string,
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    const run = this.#running.get(key) ?? this.#start(key, work);
    run.callers++;
    try {
      return await orAborted(run.result, signal);
    } finally {
      run.callers--;
      if (run.callers === 0) {
        // A later caller starts anew rather than joining what is being stopped.
        if (this.#running.get(key) === run) this.#running.delete(key);
        run.controller.abort(signal?.reason);
        await run.result.catch(() => undefined);
      }
    }
  }

  #start(key: string, work: (signal: AbortSignal) => Promise<T>): Run<T> {
    const controller = new AbortController();
    const run: Run<T> = { controller, callers: 0, result: work(controller.signal) };
    this.#running.set(key, run);
    return run;
  }
}

interface Run<T> {
  readonly controller: AbortController;
  readonly result: Promise<T>;
  callers: number;
}
