import { oneLine, sanitize } from "../text.ts";
import type { StepState } from "./step-state.ts";

/** Lines of a failed step that are said once more at the end. */
const SHOWN_LINES = 20;

/** The warnings of a run, to be read after everything else. */
export function warningReport(warnings: readonly string[]): string[] {
  if (warnings.length === 0) return [];
  const title = warnings.length === 1 ? "1 warning:" : `${warnings.length} warnings:`;
  return [title, ...warnings.map((warning) => ` - ${sanitize(warning)}`), ""];
}

/** What steps that failed wrote last: where the reader will look for the reason. */
export function failureReport(steps: readonly StepState[]): string[] {
  return steps.flatMap((step) => {
    if (step.outcome !== "failed" || step.lines.length === 0) return [];
    const lines = step.lines.slice(-SHOWN_LINES).map(({ atMs, text }) => {
      return `${(atMs / 1000).toFixed(3)} ${sanitize(text)}`.trimEnd();
    });
    return ["------", ` > ${oneLine(step.name)}:`, ...lines, "------"];
  });
}
