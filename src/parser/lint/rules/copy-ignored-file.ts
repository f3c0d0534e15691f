import type { SourceSpan } from "../../../util/span.ts";
import { cleanPath } from "../../ignore/clean-path.ts";
import type { Ignore } from "../../ignore/create-ignore.ts";
import { buildCheck } from "../build-check.ts";
import type { Reporter } from "../reporter.ts";

export const copyIgnoredFile = buildCheck(
  "CopyIgnoredFile",
  "COPY and ADD take nothing that .dockerignore leaves out",
  { page: "copy-ignored-file" },
);

/**
 * @param source a path in the context, expanded
 * @throws {DockerfileError} BAD_IGNORE_PATTERN
 */
export function checkIgnoredSource(
  source: string,
  use: { readonly keyword: "Add" | "Copy"; readonly ignore: Ignore | undefined },
  range: SourceSpan,
  reporter: Reporter,
): void {
  const { ignore, keyword } = use;
  // With exceptions it would take the files themselves to know what is left out.
  if (ignore === undefined || ignore.hasExceptions) return;
  const path = cleanPath(source);
  if (path === "." || path === "/" ? !ignore.excludesAll : !ignore.excludes(path)) return;
  reporter.report(
    copyIgnoredFile,
    range,
    `Attempting to ${keyword} file "${path}" that is excluded by .dockerignore`,
  );
}
