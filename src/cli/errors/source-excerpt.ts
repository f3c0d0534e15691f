import type { SourceSpan } from "../../util/span.ts";
import { sanitize } from "../text.ts";

/** Lines shown before and after the marked ones. */
const AROUND = 2;
/** Of a long span (a heredoc) only the beginning is shown. */
const MAX_MARKED = 12;

/**
 * The lines of `text` that `at` covers, with some around them, the way BuildKit shows them:
 *
 *        2 |     FROM busybox
 *        3 | >>> RUN false
 *        4 |
 */
export function sourceExcerpt(text: string, at: SourceSpan, mark: (text: string) => string): string {
  const lines = text.replace(/^\ufeff/, "").split(/\r?\n/);
  if (lines[lines.length - 1] === "") lines.pop();
  if (at.startLine > lines.length) return "";
  const lastMarked = Math.min(lastLine(at), at.startLine + MAX_MARKED - 1, lines.length);
  const from = Math.max(1, at.startLine - AROUND);
  const to = Math.min(lines.length, lastMarked + AROUND);
  const rule = `${"-".repeat(20)}\n`;
  const shown: string[] = [];
  for (let number = from; number <= to; number++) {
    const isMarked = number >= at.startLine && number <= lastMarked;
    const sign = isMarked ? mark(">>>") : "   ";
    shown.push(`${String(number).padStart(4)} | ${sign} ${sanitize(lines[number - 1] ?? "")}`.trimEnd());
    if (number === at.startLine && at.endLine === at.startLine) {
      const pointer = pointerLine(lines[number - 1] ?? "", at);
      if (pointer !== undefined) shown.push(`     |     ${mark(pointer)}`);
    }
  }
  return `${rule}${shown.join("\n")}\n${rule}`;
}

/** A span's end is exclusive: one that ends before the first column of a line does not touch that line. */
function lastLine(at: SourceSpan): number {
  return at.endColumn <= 1 && at.endLine > at.startLine ? at.endLine - 1 : Math.max(at.endLine, at.startLine);
}

/** `^^^^` below a part of a line; undefined when the span is the whole line, where it would say nothing. */
function pointerLine(line: string, at: SourceSpan): string | undefined {
  const start = at.startColumn - 1;
  const end = Math.min(at.endColumn - 1, line.length);
  if (end <= start || line.slice(0, start).trim() + line.slice(end).trim() === "") return undefined;
  // Tabs stay tabs, so that the marks stand below what they mark.
  return line.slice(0, start).replace(/[^\t]/g, " ") + "^".repeat(end - start);
}
