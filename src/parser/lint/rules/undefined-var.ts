import type { SourceSpan } from "../../../util/span.ts";
import { buildCheck } from "../build-check.ts";
import type { Reporter } from "../reporter.ts";
import { suggestName } from "../suggest.ts";

export const undefinedVar = buildCheck("UndefinedVar", "Variables are defined before they are used", {
  page: "undefined-var",
});

/** ARGs that the build looks at by itself; they are never variables. */
export const NOT_VARIABLES: ReadonlySet<string> = new Set([
  "BUILDKIT_SBOM_SCAN_CONTEXT",
  "BUILDKIT_SBOM_SCAN_STAGE",
]);

/**
 * @param unmatched names that an expansion looked for in vain
 * @param known names of ARGs without a value, which are not undefined, and names that one may have meant
 */
export function checkVariables(
  unmatched: readonly string[],
  known: { readonly args: ReadonlySet<string>; readonly variables: () => Iterable<string> },
  range: SourceSpan,
  reporter: Reporter,
): void {
  for (const name of unmatched) {
    if (known.args.has(name) || NOT_VARIABLES.has(name)) continue;
    const close = suggestName(name, known.variables());
    const hint = close === undefined ? "" : ` (did you mean $${close}?)`;
    reporter.report(undefinedVar, range, `Usage of undefined variable '$${name}'${hint}`);
  }
}
