import { type CheckedFile, countLevels } from "./finding.ts";

/** For programs. Lines and columns count from 1, columns in UTF-16 units; an end is the first column behind. */
export function formatJson(files: readonly CheckedFile[]): string {
  const report = {
    files: files.map(({ name, findings }) => ({
      file: name,
      findings: findings.map(({ rule, level, message, why, fix, url, range }) => ({
        rule,
        level,
        message,
        why,
        fix: fix ?? null,
        url,
        range: {
          start: { line: range.startLine, column: range.startColumn },
          end: { line: range.endLine, column: range.endColumn },
        },
      })),
    })),
    counts: countLevels(files),
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}
