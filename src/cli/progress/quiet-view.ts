import { failureReport } from "./end-report.ts";
import { StepTracker } from "./step-state.ts";
import type { ProgressView, ViewContext } from "./view.ts";

/** Nothing, unless a step fails: then what it wrote last. */
export function createQuietView({
  output,
  nowMs,
  logCommand,
}: Pick<ViewContext, "output" | "nowMs" | "logCommand">): ProgressView {
  const tracker = new StepTracker();
  let isClosed = false;
  return {
    onEvent: (event) => {
      if (!isClosed) tracker.apply(event, nowMs());
    },
    close: () => {
      if (isClosed) return;
      isClosed = true;
      for (const line of failureReport(tracker.steps, logCommand)) output.write(`${line}\n`);
    },
  };
}
