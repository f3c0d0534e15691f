import type { CheckedFile, Finding } from "./finding.ts";

const COMMANDS = { error: "error", warning: "warning", info: "notice" } as const;

/**
 * Commands that GitHub Actions shows as annotations of a change's lines.
 * @see https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
 */
export function formatGithub(files: readonly CheckedFile[]): string {
  return files.flatMap(({ name, findings }) => findings.map((finding) => annotation(name, finding))).join("");
}

function annotation(file: string, { rule, level, message, fix, range }: Finding): string {
  const { startLine, endLine, startColumn, endColumn } = range;
  const properties = [
    ["file", file],
    ["line", `${startLine}`],
    ["endLine", `${endLine}`],
    // Columns count only within one line.
    ...(startLine === endLine
      ? [
          ["col", `${startColumn}`],
          ["endColumn", `${endColumn}`],
        ]
      : []),
    ["title", rule],
  ];
  const shown = properties.map(([name, value = ""]) => `${name}=${escapeProperty(value)}`).join(",");
  const text = fix === undefined ? message : `${message}. ${fix}`;
  return `::${COMMANDS[level]} ${shown}::${escapeData(text)}\n`;
}

function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
