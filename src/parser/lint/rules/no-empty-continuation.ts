import type { Source } from "../../source.ts";
import type { ParseWarning } from "../../syntax/read-file.ts";
import { buildCheck } from "../build-check.ts";
import type { Reporter } from "../reporter.ts";

export const noEmptyContinuation = buildCheck(
  "NoEmptyContinuation",
  "An empty line inside of a continued instruction will be an error one day",
  { page: "no-empty-continuation" },
);

/** Reported on the instruction's last line. */
export function checkEmptyContinuations(
  warnings: readonly ParseWarning[],
  source: Source,
  reporter: Reporter,
): void {
  for (const { line } of warnings) {
    const start = source.lineStarts[line - 1] ?? 0;
    const range = source.span({ start, end: start + source.line(line).length });
    reporter.report(
      noEmptyContinuation,
      range,
      "Empty line between continued lines; begin it with # or remove it",
    );
  }
}
