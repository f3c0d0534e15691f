import { excerpt, Source } from "../../parser/index.ts";
import type { AdviceLevel } from "../../parser/lint/advice/index.ts";
import type { Paint } from "../paint.ts";
import { sanitize } from "../text.ts";
import { type CheckedFile, countLevels, type Finding, LEVELS } from "./finding.ts";

/** For people: each finding with its place marked; why it matters and what to do once for each rule. */
export function formatText(files: readonly CheckedFile[], paint: Paint): string {
  const explained = new Set<string>();
  const parts = files.flatMap(({ name, shownText, findings }) => {
    const source = new Source(shownText, name);
    return findings.map((finding) => {
      const isFirst = !explained.has(finding.rule);
      explained.add(finding.rule);
      return formatFinding(finding, { source, isFirst, paint });
    });
  });
  return [...parts, formatTotal(files)].join("");
}

function formatFinding(
  finding: Finding,
  { source, isFirst, paint }: { readonly source: Source; readonly isFirst: boolean; readonly paint: Paint },
): string {
  const { rule, level, message, why, fix, url, range } = finding;
  const place = `${sanitize(source.filename)}:${range.startLine}:${range.startColumn}`;
  const lines = [
    `${paint.bold(place)}: ${colour(level, paint)}: ${sanitize(message)} ${paint.dim(`(${rule})`)}`,
    excerpt(source, range),
    ...(fix === undefined || !(isFirst || rule === "BuildError") ? [] : [`  fix: ${sanitize(fix)}`]),
    ...(isFirst ? [`  why: ${sanitize(why)}`, `  ${paint.dim(url)}`] : []),
  ];
  return `${lines.join("\n")}\n\n`;
}

function colour(level: AdviceLevel, paint: Paint): string {
  switch (level) {
    case "error":
      return paint.red("error");
    case "warning":
      return paint.yellow("warning");
    default:
      return paint.cyan("info");
  }
}

/** `2 files checked: 1 error, 3 warnings`. */
function formatTotal(files: readonly CheckedFile[]): string {
  const counts = countLevels(files);
  const found = LEVELS.filter((level) => counts[level] > 0).map((level) =>
    plural(counts[level], level, level === "info" ? "infos" : `${level}s`),
  );
  const checked = plural(files.length, "file", "files");
  return `${checked} checked: ${found.length === 0 ? "nothing found" : found.join(", ")}\n`;
}

function plural(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
