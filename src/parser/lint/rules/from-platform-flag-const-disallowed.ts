import type { SourceSpan } from "../../../util/span.ts";
import type { Expansion } from "../../expand/expand-word.ts";
import { buildCheck } from "../build-check.ts";
import { parsePlatformName } from "../dry-run/platform-name.ts";
import type { Reporter } from "../reporter.ts";

export const fromPlatformFlagConstDisallowed = buildCheck(
  "FromPlatformFlagConstDisallowed",
  "FROM --platform has a variable in it, so that the file builds for other platforms too",
  { page: "from-platform-flag-const-disallowed" },
);

/** Allowed in a stage whose name tells the platform: it is meant for that one. */
export function checkConstantPlatform(
  expanded: Expansion,
  stageName: string | undefined,
  range: SourceSpan,
  reporter: Reporter,
): void {
  if (expanded.matched.length > 0 || expanded.unmatched.length > 0) return;
  const platform = parsePlatformName(expanded.word);
  if (platform === undefined) return;
  const name = stageName ?? "";
  if (name.includes(platform.os) || name.includes(platform.architecture)) return;
  reporter.report(
    fromPlatformFlagConstDisallowed,
    range,
    `FROM --platform should not be the constant "${expanded.word}"`,
  );
}
