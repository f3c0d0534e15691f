import type { Source } from "../source.ts";
import { utf8Length } from "../text/utf8.ts";

/** The longest physical line, in bytes without its `\n`. BuildKit reads lines into a buffer of 64 KiB. */
export const MAX_LINE_BYTES = 65_535;

/** A physical line: offsets of its start, of its line ending (`\r`s and `\n`), and of the next line. */
export interface PhysicalLine {
  readonly number: number;
  readonly start: number;
  /** After the last character that is neither `\r` nor `\n`. */
  readonly contentEnd: number;
  readonly next: number;
}

/** Hands out the physical lines, until the end or a line that is too long. */
export class LineReader {
  readonly #source: Source;
  #index = 0;
  /** The number of the line that was too long to read, if one was. */
  tooLong: number | undefined;

  constructor(source: Source) {
    this.#source = source;
  }

  /** How many lines were read. */
  get count(): number {
    return this.#index;
  }

  read(): PhysicalLine | undefined {
    const { text, lineStarts } = this.#source;
    const start = lineStarts[this.#index];
    if (start === undefined || start === text.length || this.tooLong !== undefined) return undefined;
    const next = lineStarts[this.#index + 1] ?? text.length;
    let contentEnd = next;
    if (text.charCodeAt(contentEnd - 1) === 0x0a) contentEnd--;
    if (isTooLong(text, start, contentEnd)) {
      this.tooLong = this.#index + 1;
      return undefined;
    }
    while (contentEnd > start && isLineEnd(text.charCodeAt(contentEnd - 1))) contentEnd--;
    this.#index++;
    return { number: this.#index, start, contentEnd, next };
  }
}

function isTooLong(text: string, start: number, end: number): boolean {
  const units = end - start;
  // A UTF-16 unit takes one to three bytes, so most lines need no counting.
  if (units * 3 <= MAX_LINE_BYTES) return false;
  return units > MAX_LINE_BYTES || utf8Length(text.slice(start, end)) > MAX_LINE_BYTES;
}

function isLineEnd(unit: number): boolean {
  return unit === 0x0a || unit === 0x0d;
}
