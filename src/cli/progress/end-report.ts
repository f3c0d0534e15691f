import { oneLine, sanitize } from "../text.ts";
import type { LogLine, StepState } from "./step-state.ts";
import type { ViewContext } from "./view.ts";

/** Lines of a failed step that are said once more at the end: the last ones, and some of its first. */
const SHOWN_LINES = 20;
const FIRST_LINES = 5;

/** The warnings of a run, to be read after everything else. */
export function warningReport(warnings: readonly string[]): string[] {
  if (warnings.length === 0) return [];
  const title = warnings.length === 1 ? "1 warning:" : `${warnings.length} warnings:`;
  return [title, ...warnings.map((warning) => ` - ${sanitize(warning)}`), ""];
}

/** What steps that failed wrote last, where the reader will look for the reason, and first. */
export function failureReport(steps: readonly StepState[], logCommand: ViewContext["logCommand"]): string[] {
  return steps.flatMap((step) => {
    if (step.outcome !== "failed" || step.lineCount === 0) return [];
    const title = ["------", ` > ${oneLine(step.name)}:`];
    const last = step.lines.slice(-SHOWN_LINES).map(lineText);
    // A gap that its own note would fill is none.
    const shown = step.lineCount <= SHOWN_LINES ? 0 : Math.min(FIRST_LINES, step.lineCount - SHOWN_LINES);
    const first = step.head.slice(0, shown).map(lineText);
    const left = step.lineCount - first.length - last.length;
    const gap = left === 0 ? [] : [leftOut(left, logCommand(step.number))];
    return [...title, ...first, ...gap, ...last, "------"];
  });
}

/** Stands for lines that are not shown. */
export function leftOut(count: number, logCommand: string | undefined): string {
  const lines = count === 1 ? "1 line" : `${count} lines`;
  return `… ${lines} left out${logCommand === undefined ? "" : `: ${logCommand}`}`;
}

function lineText({ atMs, text }: LogLine): string {
  return `${(atMs / 1000).toFixed(3)} ${sanitize(text)}`.trimEnd();
}
