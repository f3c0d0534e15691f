import { lazily } from "../../util/lazily.ts";
import type { SourceSpan } from "../../util/span.ts";
import type { Source } from "../source.ts";

/** Longer lines are cut around what is marked. */
const MAX_WIDTH = 120;
const MAX_LINES = 4;

/**
 * The lines of a span with line numbers in front and the span marked below them:
 *
 *      3 | COPY --form=build /a /b
 *        |      ^^^^^^^^^^^^
 *
 * Characters that a terminal would act upon are shown as symbols.
 *
 * @param above a line to show first, where a multi-line instruction begins
 */
export function excerpt(source: Source, span: SourceSpan, above = span.startLine): string {
  const last = Math.min(span.endLine, span.startLine + MAX_LINES - 1);
  const gutter = String(last).length + 1;
  const out: string[] = [];
  const number = (line: number): string => `${String(line).padStart(gutter + 1)} | `;
  const blank = `${" ".repeat(gutter + 1)} | `;
  if (above < span.startLine) {
    out.push(number(above) + visible(cut(source.line(above), 0).text));
    if (above + 1 < span.startLine) out.push(`${" ".repeat(gutter + 1)} …`);
  }
  for (let line = span.startLine; line <= last; line++) {
    const text = source.line(line);
    const from = line === span.startLine ? span.startColumn - 1 : text.length - text.trimStart().length;
    const to = line === span.endLine ? span.endColumn - 1 : text.length;
    const shown = cut(text, from);
    const start = Math.min(from - shown.dropped, shown.text.length);
    const end = Math.min(Math.max(to - shown.dropped, start), shown.text.length);
    out.push(number(line) + visible(shown.text));
    out.push(
      blank +
        padding(shown.text.slice(0, start)) +
        "^".repeat(Math.max(1, width(shown.text.slice(start, end)))),
    );
  }
  if (last < span.endLine) out.push(`${" ".repeat(gutter + 1)} …`);
  return out.map((line) => line.trimEnd()).join("\n");
}

/** At most MAX_WIDTH characters, `from` among them. */
function cut(text: string, from: number): { readonly text: string; readonly dropped: number } {
  if (text.length <= MAX_WIDTH) return { text, dropped: 0 };
  const start = from < MAX_WIDTH - 20 ? 0 : Math.min(from - 20, text.length - MAX_WIDTH);
  const end = Math.min(text.length, start + MAX_WIDTH);
  const before = start > 0 ? "…" : "";
  const after = end < text.length ? "…" : "";
  return { text: before + text.slice(start, end) + after, dropped: start - before.length };
}

/** Blanks as wide as the text; tabs stay tabs, so that both lines stop at the same columns. */
function padding(text: string): string {
  return Array.from(text, (char) => (char === "\t" ? char : " ".repeat(width(char)))).join("");
}

const wide = lazily(
  () =>
    /\p{Script=Han}|\p{Script=Hangul}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Emoji_Presentation}|[\uff01-\uff60]/u,
);
const widthless = lazily(() => /\p{Mark}|\u200b|\ufeff/u);

function width(text: string): number {
  let columns = 0;
  for (const char of text) {
    if (char < "\u0080") columns += 1;
    else if (!widthless().test(char)) columns += wide().test(char) ? 2 : 1;
  }
  return columns;
}

/** Control characters as their Unicode pictures, bytes that are no UTF-8 as the replacement character. */
export function visible(text: string): string {
  let out = "";
  for (const char of text) {
    const point = char.codePointAt(0) ?? 0;
    if (point < 0x20 && char !== "\t") out += String.fromCharCode(0x2400 + point);
    else if (point === 0x7f) out += "\u2421";
    else if ((point >= 0x80 && point < 0xa0) || (point >= 0xd800 && point < 0xe000)) out += "\ufffd";
    else if ((point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069)) out += "\ufffd";
    else out += char;
  }
  return out;
}
