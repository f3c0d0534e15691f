import type { BitReader } from "./bzip2-bits.ts";
import { corrupt } from "./error.ts";

const FORMAT = "bzip2";
const GROUP_SIZE = 50;
const MAX_CODE_LENGTH = 20;
const RUN_A = 0;
const RUN_B = 1;

/** A Huffman table for reading one bit at a time, by the smallest and largest code of each length. */
interface HuffmanTable {
  readonly minLength: number;
  readonly maxLength: number;
  /** Largest code of each length, -1 where there is none. */
  readonly limit: Int32Array;
  /** What to take from a code of each length to get an index into `symbols`. */
  readonly base: Int32Array;
  readonly symbols: Uint16Array;
}

const OUTPUT_BYTES = 256 * 1024;

/** Decodes the blocks of one stream, in memory for the largest of them. */
export class BlockDecoder {
  readonly #bits: BitReader;
  readonly #maxBytes: number;
  /** Byte values in the low 8 bits, links of the transform above. */
  readonly #transform: Uint32Array;

  constructor(bits: BitReader, maxBytes: number) {
    this.#bits = bits;
    this.#maxBytes = maxBytes;
    this.#transform = new Uint32Array(maxBytes);
  }

  /** The next block, behind its magic number and checksum. */
  *decode(): Generator<Uint8Array, void, undefined> {
    if (this.#bits.read(1) === 1) throw corrupt(FORMAT, "deprecated randomized files");
    const origin = this.#bits.read(24);
    const used = this.#readUsedBytes();
    const length = this.#readSymbols(used);
    if (length > 0 && origin >= length) throw corrupt(FORMAT, "pre-BWT data pointer out of range");
    this.#invertTransform(length);
    yield* expandRuns(this.#transform, length, origin);
  }

  #readUsedBytes(): Uint8Array {
    const groups = this.#bits.read(16);
    const used: number[] = [];
    for (let group = 0; group < 16; group++) {
      if ((groups & (0x8000 >> group)) === 0) continue;
      const members = this.#bits.read(16);
      for (let i = 0; i < 16; i++) if ((members & (0x8000 >> i)) !== 0) used.push(group * 16 + i);
    }
    if (used.length === 0) throw corrupt(FORMAT, "no symbols in input");
    return Uint8Array.from(used);
  }

  /** Huffman, run lengths and move-to-front; leaves the bytes in the transform. Returns how many. */
  #readSymbols(used: Uint8Array): number {
    const bits = this.#bits;
    const symbolCount = used.length + 2;
    const endOfBlock = symbolCount - 1;
    const tableCount = bits.read(3);
    if (tableCount < 2 || tableCount > 6) throw corrupt(FORMAT, "invalid number of Huffman trees");
    const selectors = this.#readSelectors(tableCount);
    const tables = Array.from({ length: tableCount }, () => this.#readTable(symbolCount));

    const recent = Uint8Array.from(used);
    const transform = this.#transform;
    let length = 0;
    let runLength = 0;
    let runWeight = 1;
    for (let group = 0; ; group++) {
      const table = tables[selectors[group] ?? -1];
      if (table === undefined)
        throw corrupt(FORMAT, "insufficient selector indices for number of decoded symbols");
      for (let i = 0; i < GROUP_SIZE; i++) {
        const symbol = this.#readSymbol(table);
        if (symbol === RUN_A || symbol === RUN_B) {
          // A run's length in bijective base 2, least significant digit first.
          runLength += runWeight << symbol;
          runWeight <<= 1;
          if (runLength > this.#maxBytes) throw corrupt(FORMAT, "repeat count too large");
          continue;
        }
        if (runLength > 0) {
          if (length + runLength > this.#maxBytes) throw corrupt(FORMAT, "repeats past end of block");
          transform.fill(recent[0] as number, length, length + runLength);
          length += runLength;
          runLength = 0;
          runWeight = 1;
        }
        if (symbol === endOfBlock) return length;
        if (length >= this.#maxBytes) throw corrupt(FORMAT, "data exceeds block size");
        const position = symbol - 1;
        const byte = recent[position] as number;
        recent.copyWithin(1, 0, position);
        recent[0] = byte;
        transform[length++] = byte;
      }
    }
  }

  /** Which table each group of 50 symbols uses, itself coded move-to-front. */
  #readSelectors(tableCount: number): Uint8Array {
    const count = this.#bits.read(15);
    const selectors = new Uint8Array(count);
    const recent = Array.from({ length: tableCount }, (_, i) => i);
    for (let i = 0; i < count; i++) {
      let position = 0;
      while (this.#bits.read(1) === 1)
        if (++position >= tableCount) throw corrupt(FORMAT, "tree index too large");
      const [table] = recent.splice(position, 1) as [number];
      recent.unshift(table);
      selectors[i] = table;
    }
    return selectors;
  }

  #readTable(symbolCount: number): HuffmanTable {
    const lengths = new Uint8Array(symbolCount);
    let length = this.#bits.read(5);
    for (let symbol = 0; symbol < symbolCount; symbol++) {
      for (;;) {
        if (length < 1 || length > MAX_CODE_LENGTH) throw corrupt(FORMAT, "Huffman length out of range");
        if (this.#bits.read(1) === 0) break;
        length += this.#bits.read(1) === 0 ? 1 : -1;
      }
      lengths[symbol] = length;
    }
    return buildTable(lengths);
  }

  #readSymbol(table: HuffmanTable): number {
    let length = table.minLength;
    let code = this.#bits.read(length);
    for (;;) {
      if (length > table.maxLength) throw corrupt(FORMAT, "bad Huffman code");
      if (code <= (table.limit[length] as number)) break;
      code = (code << 1) | this.#bits.read(1);
      length++;
    }
    return table.symbols[code - (table.base[length] as number)] ?? 0;
  }

  /** Puts into each entry's upper bits where the next byte is. */
  #invertTransform(length: number): void {
    const transform = this.#transform;
    const starts = new Uint32Array(256);
    for (let i = 0; i < length; i++) {
      const byte = (transform[i] as number) & 0xff;
      starts[byte] = (starts[byte] as number) + 1;
    }
    let sum = 0;
    for (let byte = 0; byte < 256; byte++) {
      const count = starts[byte] as number;
      starts[byte] = sum;
      sum += count;
    }
    for (let i = 0; i < length; i++) {
      const byte = (transform[i] as number) & 0xff;
      const at = starts[byte] as number;
      starts[byte] = at + 1;
      transform[at] = (transform[at] as number) | (i << 8);
    }
  }
}

/** Follows the transform's links and expands runs: after four equal bytes comes how many more there are. */
function* expandRuns(
  transform: Uint32Array,
  length: number,
  origin: number,
): Generator<Uint8Array, void, undefined> {
  let output = new Uint8Array(OUTPUT_BYTES);
  let filled = 0;
  let entry = length === 0 ? 0 : (transform[origin] as number);
  let last = -1;
  let repeats = 0;
  for (let i = 0; i < length; i++) {
    entry = transform[entry >>> 8] as number;
    const byte = entry & 0xff;
    if (filled + 256 > OUTPUT_BYTES) {
      yield output.subarray(0, filled);
      output = new Uint8Array(OUTPUT_BYTES);
      filled = 0;
    }
    if (repeats === 4) {
      output.fill(last, filled, filled + byte);
      filled += byte;
      repeats = 0;
      last = -1;
      continue;
    }
    repeats = byte === last ? repeats + 1 : 1;
    last = byte;
    output[filled++] = byte;
  }
  if (filled > 0) yield output.subarray(0, filled);
}

function buildTable(lengths: Uint8Array): HuffmanTable {
  const counts = new Uint16Array(MAX_CODE_LENGTH + 2);
  let minLength = MAX_CODE_LENGTH;
  let maxLength = 1;
  for (const length of lengths) {
    counts[length] = (counts[length] as number) + 1;
    minLength = Math.min(minLength, length);
    maxLength = Math.max(maxLength, length);
  }
  const symbols = new Uint16Array(lengths.length);
  let filled = 0;
  for (let length = minLength; length <= maxLength; length++)
    for (let symbol = 0; symbol < lengths.length; symbol++)
      if (lengths[symbol] === length) symbols[filled++] = symbol;

  const limit = new Int32Array(MAX_CODE_LENGTH + 2).fill(-1);
  const base = new Int32Array(MAX_CODE_LENGTH + 2);
  let code = 0;
  let before = 0;
  for (let length = minLength; length <= maxLength; length++) {
    const count = counts[length] as number;
    base[length] = code - before;
    code += count;
    before += count;
    if (count > 0) limit[length] = code - 1;
    code <<= 1;
  }
  return { minLength, maxLength, limit, base, symbols };
}
