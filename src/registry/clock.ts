import { nowMs } from "../util/now-ms.ts";

/** Time and chance, given from outside so that waiting and backing off can be tested without waiting. */
export interface Clock {
  /** Milliseconds of a clock that never jumps. */
  nowMs(): number;
  /** Milliseconds since the epoch, for comparing with dates that a server sends. */
  dateMs(): number;
  /** At least 0, below 1. */
  random(): number;
  /** Calls back once after that time unless cancelled. */
  schedule(delayMs: number, callback: () => void): () => void;
}

export const SYSTEM_CLOCK: Clock = {
  nowMs,
  dateMs: () => Date.now(),
  random: () => Math.random(),
  schedule: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Waits, or throws the signal's reason as soon as it aborts. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = clock.schedule(delayMs, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
