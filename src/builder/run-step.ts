import type { OnEvent } from "./events.ts";

export interface StepOptions {
  readonly vertex: string;
  /** As shown: `pulling busybox:latest`. */
  readonly name: string;
  readonly onEvent: OnEvent;
  readonly nowMs: () => number;
  readonly signal: AbortSignal | undefined;
}

/** Runs `work` as a step of the progress: its start, and how it ended, are events. */
export async function runStep<T>(
  { vertex, name, onEvent, nowMs, signal }: StepOptions,
  work: () => Promise<T>,
): Promise<T> {
  onEvent({ kind: "step-started", vertex, name, atMs: nowMs() });
  let outcome: "done" | "failed" | "canceled" = "failed";
  try {
    const result = await work();
    outcome = "done";
    return result;
  } finally {
    if (outcome === "failed" && signal?.aborted === true) outcome = "canceled";
    onEvent({ kind: "step-finished", vertex, atMs: nowMs(), outcome });
  }
}
