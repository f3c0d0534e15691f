import type { SourceSpan } from "../../../util/span.ts";
import { buildCheck } from "../build-check.ts";
import type { Reporter } from "../reporter.ts";

export const workdirRelativePath = buildCheck(
  "WorkdirRelativePath",
  "The first WORKDIR is absolute, so that it does not depend on the base image's",
  { page: "workdir-relative-path" },
);

/** @param path expanded */
export function checkWorkdir(path: string, os: string, range: SourceSpan, reporter: Reporter): void {
  if (isAbsolute(path, os)) return;
  reporter.report(
    workdirRelativePath,
    range,
    `Relative workdir "${path}" starts from wherever the base image's is`,
  );
}

/** On Windows `C:\x`, `\x` and `/x` are absolute; other drives and network paths can't be used at all. */
function isAbsolute(path: string, os: string): boolean {
  if (os !== "windows") return path.startsWith("/");
  const slashed = path.replaceAll("\\", "/");
  if (slashed.startsWith("//")) return false;
  const colon = slashed.indexOf(":");
  if (colon === -1) return slashed.startsWith("/");
  return (
    slashed.length !== 2 &&
    slashed.slice(0, colon).toLowerCase() === "c" &&
    slashed.startsWith("/", colon + 1)
  );
}
