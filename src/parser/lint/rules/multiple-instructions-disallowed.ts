import type { SourceSpan } from "../../../util/span.ts";
import { buildCheck } from "../build-check.ts";
import type { Reporter } from "../reporter.ts";

export const multipleInstructionsDisallowed = buildCheck(
  "MultipleInstructionsDisallowed",
  "A stage has one CMD, one ENTRYPOINT, one HEALTHCHECK; of more, only the last counts",
  { page: "multiple-instructions-disallowed" },
);

/** Reported on the earlier one, which has no effect. */
export function checkUsedOnce(
  earlier: { readonly range: SourceSpan } | undefined,
  later: { readonly keyword: string; readonly range: SourceSpan },
  reporter: Reporter,
): void {
  if (earlier === undefined) return;
  reporter.report(
    multipleInstructionsDisallowed,
    earlier.range,
    `There is another ${later.keyword} in this stage (line ${later.range.startLine}), so this one has no effect`,
  );
}
