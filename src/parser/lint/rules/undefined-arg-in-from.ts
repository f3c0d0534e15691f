import type { SourceSpan } from "../../../util/span.ts";
import { buildCheck } from "../build-check.ts";
import type { Reporter } from "../reporter.ts";
import { suggestName } from "../suggest.ts";

export const undefinedArgInFrom = buildCheck(
  "UndefinedArgInFrom",
  "FROM uses only ARGs that are declared above it",
  { page: "undefined-arg-in-from" },
);

/** @param declared names of ARGs before the first FROM, predefined ones included */
export function checkArgsInFrom(
  unmatched: readonly string[],
  declared: ReadonlySet<string>,
  range: SourceSpan,
  reporter: Reporter,
): void {
  for (const name of unmatched) {
    if (declared.has(name)) continue;
    const close = suggestName(name, declared);
    const hint = close === undefined ? "" : ` (did you mean ${close}?)`;
    reporter.report(undefinedArgInFrom, range, `FROM argument '${name}' is not declared${hint}`);
  }
}
