import type { SourceSpan } from "../util/span.ts";
import { decodeUtf8 } from "./text/utf8.ts";

/** A stretch of the source text: UTF-16 offsets, the end exclusive. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** A source text that knows its lines. Nobody sees it change. */
export class Source {
  readonly text: string;
  /** The name shown in messages. */
  readonly filename: string;
  /** Offset of each line's first character; a line ends with its `\n`. */
  readonly lineStarts: readonly number[];
  /** The line that was asked for last: who reads a file asks for the same or the next one. */
  #lastLine = 1;

  /** @param content bytes are UTF-8; a byte that is not becomes a lone surrogate (see text/utf8.ts) */
  constructor(content: string | Uint8Array, filename = "Dockerfile") {
    this.text = typeof content === "string" ? content : decodeUtf8(content);
    this.filename = filename;
    const starts = [0];
    for (let at = this.text.indexOf("\n"); at !== -1; at = this.text.indexOf("\n", at + 1))
      starts.push(at + 1);
    this.lineStarts = starts;
  }

  /** The line (from 1) that holds an offset. */
  lineAt(offset: number): number {
    const { lineStarts } = this;
    for (let line = this.#lastLine; line <= this.#lastLine + 1; line++) {
      const start = lineStarts[line - 1] ?? Number.POSITIVE_INFINITY;
      const next = lineStarts[line] ?? Number.POSITIVE_INFINITY;
      if (offset >= start && offset < next) {
        this.#lastLine = line;
        return line;
      }
    }
    this.#lastLine = this.#findLine(offset);
    return this.#lastLine;
  }

  #findLine(offset: number): number {
    let low = 0;
    let high = this.lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.lineStarts[middle] as number) <= offset) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  }

  /** Lines and columns of a range; a range that ends right after a line's `\n` ends on that line. */
  span(range: Range): SourceSpan {
    const startLine = this.lineAt(range.start);
    const endLine = Math.max(startLine, this.lineAt(range.end > range.start ? range.end - 1 : range.end));
    return {
      file: this.filename,
      startLine,
      startColumn: range.start - (this.lineStarts[startLine - 1] as number) + 1,
      endLine,
      endColumn: range.end - (this.lineStarts[endLine - 1] as number) + 1,
    };
  }

  /** The text of a line (from 1) without its line ending. */
  line(number: number): string {
    const start = this.lineStarts[number - 1];
    if (start === undefined) return "";
    const next = this.lineStarts[number];
    let end = next === undefined ? this.text.length : next - 1;
    if (end > start && this.text.charCodeAt(end - 1) === 0x0d) end--;
    return this.text.slice(start, end);
  }
}
