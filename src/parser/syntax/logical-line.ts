import type { Range, Source } from "../source.ts";

/**
 * One instruction's line after joining: the text the rest of the parser sees, and where each stretch of it
 * stood in the source.
 */
export class LogicalLine {
  readonly source: Source;
  readonly text: string;
  readonly startLine: number;
  readonly endLine: number;
  /** Parallel: the piece that starts at logical offset `#logical[i]` starts at `#origin[i]` in the source. */
  readonly #logical: readonly number[];
  readonly #origin: readonly number[];

  constructor(
    source: Source,
    pieces: readonly Range[],
    lines: { readonly start: number; readonly end: number },
  ) {
    const logical: number[] = [];
    const origin: number[] = [];
    const texts: string[] = [];
    let length = 0;
    for (const piece of pieces) {
      logical.push(length);
      origin.push(piece.start);
      texts.push(source.text.slice(piece.start, piece.end));
      length += piece.end - piece.start;
    }
    this.source = source;
    this.text = texts.length === 1 ? (texts[0] as string) : texts.join("");
    this.startLine = lines.start;
    this.endLine = lines.end;
    this.#logical = logical;
    this.#origin = origin;
  }

  /** Where the logical range stands in the source, continuations inside it included. */
  range(start: number, end: number): Range {
    const from = this.#offset(start);
    return { start: from, end: end > start ? this.#offset(end - 1) + 1 : from };
  }

  /** The source range of the whole line. */
  get whole(): Range {
    return { start: this.#origin[0] as number, end: this.range(0, this.text.length).end };
  }

  #offset(logical: number): number {
    let low = 0;
    let high = this.#logical.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#logical[middle] as number) <= logical) low = middle;
      else high = middle - 1;
    }
    return (this.#origin[low] as number) + logical - (this.#logical[low] as number);
  }
}
