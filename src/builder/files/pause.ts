import { setImmediate } from "node:timers/promises";
import { nowMs } from "../../util/now-ms.ts";

/** Longest stretch of work without letting other events in. A frame at 60 Hz is 16 ms. */
const SLICE_MS = 10;

/** Loops over files ask `isDue()`, which is cheap, and `await pause()` when it says so. */
export class WorkSlices {
  #sliceStartedAt = nowMs();
  #calls = 0;

  /** Looks at the clock only every 32nd time. */
  isDue(): boolean {
    if ((++this.#calls & 31) !== 0) return false;
    return nowMs() - this.#sliceStartedAt > SLICE_MS;
  }

  /** Lets waiting events run. @throws the signal's reason when it is aborted. */
  async pause(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await setImmediate();
    signal?.throwIfAborted();
    this.#sliceStartedAt = nowMs();
  }
}
