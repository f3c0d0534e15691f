import { readNumber } from "./decode-header.ts";
import { TarError } from "./error.ts";

/** A stretch of a sparse file that has bytes in the archive. */
export interface SparseSegment {
  readonly offset: number;
  readonly length: number;
}

/** What a sparse file may have at most: a map of this size would be 24 MB in an archive. */
const MAX_SEGMENTS = 1_000_000;

/**
 * The segments inside an old GNU header (`S`, four at 386) or one of its extension blocks (21 at 0), and whether
 * another extension block follows.
 */
export function readGnuSegments(
  block: Buffer,
  where: "header" | "extension",
): { readonly segments: readonly SparseSegment[]; readonly more: boolean } {
  const at = where === "header" ? 386 : 0;
  const count = where === "header" ? 4 : 21;
  const segments: SparseSegment[] = [];
  for (let i = 0; i < count; i++) {
    const entry = at + i * 24;
    if (block[entry] === 0) break;
    segments.push({ offset: readNumber(block, entry, 12), length: readNumber(block, entry + 12, 12) });
  }
  return { segments, more: block[at + count * 24] !== 0 };
}

/** The map of PAX sparse format 0.1, `offset,length,offset,length…`; 0.0 is joined to the same form. */
export function parseSparseMap(map: string): readonly SparseSegment[] {
  return pairUp(map === "" ? [] : map.split(",").map(parseDecimal));
}

/** Reads the map of format 1.0 that stands before the file's bytes: a count, then offsets and lengths, a line each. */
export class SparseMapReader {
  readonly #numbers: number[] = [];
  #line = "";

  /** Takes one block; answers the segments once the map is complete. */
  push(block: Buffer): readonly SparseSegment[] | undefined {
    const lines = (this.#line + block.toString("latin1")).split("\n");
    this.#line = lines.pop() ?? "";
    for (const line of lines) {
      this.#numbers.push(parseDecimal(line));
      const count = this.#numbers[0] as number;
      if (count > MAX_SEGMENTS) throw tooLarge();
      if (this.#numbers.length === 1 + 2 * count) return pairUp(this.#numbers.slice(1));
    }
    if (this.#line.length > 512) throw invalid();
    return undefined;
  }
}

/** @throws {TarError} when segments overlap, lie outside the file, or do not add up to what the archive stores */
export function checkSegments(
  segments: readonly SparseSegment[],
  realSize: number,
  storedSize: number,
): void {
  if (segments.length > MAX_SEGMENTS) throw tooLarge();
  let at = 0;
  let stored = 0;
  for (const { offset, length } of segments) {
    if (offset < at || length < 0 || !Number.isSafeInteger(offset + length)) throw invalid();
    at = offset + length;
    stored += length;
  }
  if (at > realSize || stored !== storedSize) throw invalid();
}

function pairUp(numbers: readonly number[]): readonly SparseSegment[] {
  if (numbers.length % 2 !== 0) throw invalid();
  const segments: SparseSegment[] = [];
  for (let i = 0; i < numbers.length; i += 2) {
    segments.push({ offset: numbers[i] as number, length: numbers[i + 1] as number });
  }
  return segments;
}

function parseDecimal(text: string): number {
  const value = /^[0-9]+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw invalid();
  return value;
}

function invalid(): TarError {
  return new TarError("HEADER_INVALID", "Cannot read archive: map of a sparse file is malformed");
}

function tooLarge(): TarError {
  return new TarError("HEADER_TOO_LARGE", `Cannot read archive: sparse file has over ${MAX_SEGMENTS} parts`);
}
