import { corrupt } from "./error.ts";
import { ReverseBits } from "./zstd-bits.ts";
import { readFseTable } from "./zstd-fse.ts";

const FORMAT = "zstd";
const MAX_HUFFMAN_BITS = 11;
const MAX_LITERALS = 128 * 1024;

/** A Huffman table indexed by the next `maxBits` bits. */
export interface HuffmanTable {
  readonly maxBits: number;
  readonly symbols: Uint8Array;
  readonly bitCounts: Uint8Array;
}

export interface Literals {
  readonly bytes: Uint8Array;
  readonly length: number;
  /** Offset behind the literals section. */
  readonly end: number;
  /** For the next block, which may use it again. */
  readonly table: HuffmanTable | undefined;
}

/** Decodes the literals section of a block (RFC 8878, 3.1.1.3.1). */
export class LiteralsDecoder {
  readonly #bytes = new Uint8Array(MAX_LITERALS);

  decode(block: Uint8Array, start: number, end: number, before: HuffmanTable | undefined): Literals {
    const first = block[start] as number;
    const type = first & 3;
    const format = (first >> 2) & 3;
    return type < 2
      ? this.#decodePlain(block, { start, end, format, isRun: type === 1, before })
      : this.#decodeCompressed(block, { start, end, format, before: type === 3 ? before : undefined, type });
  }

  #decodePlain(
    block: Uint8Array,
    options: {
      readonly start: number;
      readonly end: number;
      readonly format: number;
      readonly isRun: boolean;
      readonly before: HuffmanTable | undefined;
    },
  ): Literals {
    const { start, format } = options;
    const headerBytes = format === 1 ? 2 : format === 3 ? 3 : 1;
    const length = readLittleEndian(block, start, headerBytes) >>> (headerBytes === 1 ? 3 : 4);
    const at = start + headerBytes;
    const end = at + (options.isRun ? 1 : length);
    if (end > options.end || length > MAX_LITERALS) throw corrupt(FORMAT, "literals are too long");
    if (options.isRun) this.#bytes.fill(block[at] as number, 0, length);
    else this.#bytes.set(block.subarray(at, end));
    return { bytes: this.#bytes, length, end, table: options.before };
  }

  #decodeCompressed(
    block: Uint8Array,
    options: {
      readonly start: number;
      readonly end: number;
      readonly format: number;
      readonly before: HuffmanTable | undefined;
      readonly type: number;
    },
  ): Literals {
    const { start, format } = options;
    const headerBytes = format < 2 ? 3 : format + 2;
    const sizeBits = format < 2 ? 10 : format === 2 ? 14 : 18;
    // Up to 40 bits: more than bit operations can hold.
    const header = Math.floor(readLittleEndian(block, start, headerBytes) / 16);
    const length = header % 2 ** sizeBits;
    const compressedLength = Math.floor(header / 2 ** sizeBits);
    let at = start + headerBytes;
    const end = at + compressedLength;
    if (end > options.end || length > MAX_LITERALS) throw corrupt(FORMAT, "literals are too long");

    let table = options.before;
    if (options.type === 2) ({ table, end: at } = readHuffmanTable(block, at, end));
    if (table === undefined) throw corrupt(FORMAT, "literals use a table that was never given");
    if (format === 0) {
      decodeStream(block, { start: at, end, table, into: this.#bytes.subarray(0, length) });
    } else {
      const part = (length + 3) >> 2;
      const ends = [0, 2, 4].map((offset) => readLittleEndian(block, at + offset, 2));
      at += 6;
      for (let i = 0; i < 4; i++) {
        const streamEnd = i < 3 ? at + (ends[i] as number) : end;
        if (streamEnd > end || part * 3 > length) throw corrupt(FORMAT, "literals have a wrong jump table");
        const into = this.#bytes.subarray(part * i, i < 3 ? part * (i + 1) : length);
        decodeStream(block, { start: at, end: streamEnd, table, into });
        at = streamEnd;
      }
    }
    return { bytes: this.#bytes, length, end, table };
  }
}

function decodeStream(
  block: Uint8Array,
  options: {
    readonly start: number;
    readonly end: number;
    readonly table: HuffmanTable;
    readonly into: Uint8Array;
  },
): void {
  const { into } = options;
  const { maxBits, symbols, bitCounts } = options.table;
  const bits = new ReverseBits(block, options.start, options.end);
  for (let i = 0; i < into.length; i++) {
    const index = bits.peek(maxBits);
    into[i] = symbols[index] as number;
    bits.remaining -= bitCounts[index] as number;
  }
  if (bits.remaining !== 0) throw corrupt(FORMAT, "literals do not fill their stream");
}

/** RFC 8878, 4.2.1. */
function readHuffmanTable(
  block: Uint8Array,
  start: number,
  limit: number,
): { readonly table: HuffmanTable; readonly end: number } {
  const header = block[start] as number;
  const at = start + 1;
  const weights: number[] = [];
  let end: number;
  if (header >= 128) {
    const count = header - 127;
    end = at + ((count + 1) >> 1);
    for (let i = 0; i < count; i++) {
      const byte = block[at + (i >> 1)] as number;
      weights.push(i % 2 === 0 ? byte >> 4 : byte & 15);
    }
  } else {
    end = at + header;
    if (end <= limit) readCompressedWeights(block, at, end, weights);
  }
  if (end > limit) throw corrupt(FORMAT, "Huffman table is too long");
  return { table: buildHuffmanTable(weights), end };
}

function readCompressedWeights(block: Uint8Array, start: number, end: number, weights: number[]): void {
  const fse = readFseTable(block, start, { end, maxAccuracyLog: 6, maxSymbol: 255 });
  const { accuracyLog, symbols, bitCounts, nextStates } = fse.table;
  const bits = new ReverseBits(block, fse.end, end);
  // Two states take turns; the bits run out when one of them would move on.
  const states = [bits.read(accuracyLog), bits.read(accuracyLog)] as [number, number];
  for (let turn = 0; weights.length < 255; turn ^= 1) {
    const state = states[turn] as number;
    weights.push(symbols[state] as number);
    const width = bitCounts[state] as number;
    if (width > bits.remaining) {
      weights.push(symbols[states[turn ^ 1] as number] as number);
      return;
    }
    states[turn] = (nextStates[state] as number) + bits.read(width);
  }
  throw corrupt(FORMAT, "Huffman table has too many weights");
}

/** The last weight is not stored: it is what makes the sum a power of two. */
function buildHuffmanTable(weights: number[]): HuffmanTable {
  let sum = 0;
  for (const weight of weights) if (weight > 0) sum += 1 << (weight - 1);
  if (sum === 0) throw corrupt(FORMAT, "Huffman table is empty");
  const maxBits = 32 - Math.clz32(sum);
  const rest = (1 << maxBits) - sum;
  if (maxBits > MAX_HUFFMAN_BITS || (rest & (rest - 1)) !== 0)
    throw corrupt(FORMAT, "Huffman weights do not add up");
  weights.push(32 - Math.clz32(rest));

  const size = 1 << maxBits;
  const symbols = new Uint8Array(size);
  const bitCounts = new Uint8Array(size);
  let at = 0;
  for (let weight = 1; weight <= maxBits; weight++) {
    const span = 1 << (weight - 1);
    for (let symbol = 0; symbol < weights.length; symbol++) {
      if (weights[symbol] !== weight) continue;
      symbols.fill(symbol, at, at + span);
      bitCounts.fill(maxBits + 1 - weight, at, at + span);
      at += span;
    }
  }
  return { maxBits, symbols, bitCounts };
}

function readLittleEndian(bytes: Uint8Array, start: number, length: number): number {
  let value = 0;
  for (let i = length - 1; i >= 0; i--) value = value * 256 + (bytes[start + i] ?? 0);
  return value;
}
