import { createPaint } from "../paint.ts";
import { failureReport, warningReport } from "./end-report.ts";
import { Screen } from "./screen.ts";
import { StepTracker } from "./step-state.ts";
import { renderFrame } from "./tty-frame.ts";
import type { ProgressView, ViewContext } from "./view.ts";

/** Ten pictures a second look alive; more only costs. */
const REDRAW_INTERVAL_MS = 100;
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

/**
 * A picture of all steps that is drawn over itself, never larger than the terminal, and at the end left behind whole.
 * The first one is drawn after an interval has passed, so a build that is over by then draws only once.
 */
export function createTtyView(context: ViewContext): ProgressView {
  const { output, nowMs, settings, verb, logCommand } = context;
  const tracker = new StepTracker();
  const screen = new Screen(output);
  const paint = createPaint(output, settings);
  const startedMs = nowMs();
  let isClosed = false;

  const frame = (isOver: boolean) =>
    renderFrame({
      steps: tracker.steps,
      verb,
      startedMs,
      nowMs: nowMs(),
      columns: output.columns ?? DEFAULT_COLUMNS,
      maxLines: isOver ? Number.POSITIVE_INFINITY : (output.rows ?? DEFAULT_ROWS) - 1,
      paint,
      isOver,
    });
  const redraw = (): void => screen.draw(frame(false));

  const stopTimer = context.every(REDRAW_INTERVAL_MS, redraw);
  const release = context.guardTerminal({
    restore: () => screen.showCursor(),
    // We may have been stopped in a way that gave no time to restore anything.
    resume: () => {
      screen.forget();
      redraw();
    },
  });
  return {
    onEvent: (event) => {
      if (!isClosed) tracker.apply(event, nowMs());
    },
    close: () => {
      if (isClosed) return;
      isClosed = true;
      stopTimer();
      release();
      // What failed before its first step has nothing to be pictured.
      screen.settle(tracker.steps.length === 0 ? [] : frame(true));
      const warnings = warningReport(tracker.warnings).map(paint.yellow);
      const report = [...warnings, ...failureReport(tracker.steps, logCommand)];
      if (report.length > 0) output.write(`${report.join("\n")}\n`);
    },
  };
}
