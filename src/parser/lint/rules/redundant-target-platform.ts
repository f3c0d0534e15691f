import type { SourceSpan } from "../../../util/span.ts";
import type { Expansion } from "../../expand/expand-word.ts";
import { buildCheck } from "../build-check.ts";
import type { Variables } from "../dry-run/variables.ts";
import type { Reporter } from "../reporter.ts";

export const redundantTargetPlatform = buildCheck(
  "RedundantTargetPlatform",
  "FROM uses the target platform by itself; --platform=$TARGETPLATFORM says nothing new",
  { page: "redundant-target-platform" },
);

/** @param platform as written, and what became of it */
export function checkRedundantPlatform(
  platform: { readonly written: string; readonly expanded: Expansion },
  globals: Variables,
  range: SourceSpan,
  reporter: Reporter,
): void {
  const { matched, unmatched, word } = platform.expanded;
  if (matched.length !== 1 || unmatched.length !== 0 || matched[0] !== "TARGETPLATFORM") return;
  if (word !== globals.get("TARGETPLATFORM")) return;
  reporter.report(redundantTargetPlatform, range, `--platform=${platform.written} is what FROM does anyway`);
}
