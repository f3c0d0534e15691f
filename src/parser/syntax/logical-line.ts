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
  /** Where the first piece begins in the source. */
  readonly start: number;
  /** Of a line of several pieces, which most are not. */
  readonly #pieces: Pieces | undefined;

  /** @param pieces at least one, in order */
  constructor(
    source: Source,
    pieces: readonly Range[],
    lines: { readonly start: number; readonly end: number },
  ) {
    const first = pieces[0] as Range;
    this.source = source;
    this.startLine = lines.start;
    this.endLine = lines.end;
    this.start = first.start;
    if (pieces.length === 1) {
      this.text = source.text.slice(first.start, first.end);
      this.#pieces = undefined;
    } else {
      this.text = pieces.map(({ start, end }) => source.text.slice(start, end)).join("");
      this.#pieces = new Pieces(pieces);
    }
  }

  /** Where the logical range stands in the source, continuations inside it included. */
  range(start: number, end: number): Range {
    if (this.#pieces === undefined) return { start: this.start + start, end: this.start + end };
    const from = this.#pieces.offset(start);
    return { start: from, end: end > start ? this.#pieces.offset(end - 1) + 1 : from };
  }

  /** The source range of the whole line. */
  get whole(): Range {
    return { start: this.start, end: this.range(0, this.text.length).end };
  }
}

/** Maps offsets in the joined text to offsets in the source. */
class Pieces {
  /** Parallel: the piece that starts at joined offset `#joined[i]` starts at `#origin[i]` in the source. */
  readonly #joined: readonly number[];
  readonly #origin: readonly number[];

  constructor(pieces: readonly Range[]) {
    let length = 0;
    this.#origin = pieces.map(({ start }) => start);
    this.#joined = pieces.map(({ start, end }) => {
      length += end - start;
      return length - (end - start);
    });
  }

  offset(joined: number): number {
    let low = 0;
    let high = this.#joined.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#joined[middle] as number) <= joined) low = middle;
      else high = middle - 1;
    }
    return (this.#origin[low] as number) + joined - (this.#joined[low] as number);
  }
}
