import type { BuildOptions } from "../types.ts";
import type { FailedStep } from "./failed-step.ts";

/** Hands on the first failure of a build, unless the build was being stopped: then nothing failed by itself. */
export function keepFirstFailure(
  onFailedStep: NonNullable<BuildOptions["onFailedStep"]>,
  signal: AbortSignal,
): (describe: () => Promise<FailedStep>, upper: string | undefined) => Promise<void> {
  let isKept = false;
  return async (describe, upper) => {
    if (isKept || signal.aborted) return;
    isKept = true;
    try {
      await onFailedStep(await describe(), upper);
    } catch {
      // The step's own failure is what is told; that it can't be entered shows when somebody tries.
    }
  };
}
