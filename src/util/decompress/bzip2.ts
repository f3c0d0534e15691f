import { ByteSource, type ReadBytes } from "./byte-source.ts";
import { corrupt, truncated } from "./error.ts";

/*
 * bzip2 has no specification but its program; the format as decoded here: "BZh" and a level, then blocks of up to
 * level × 100,000 bytes that went through run-length coding, the Burrows-Wheeler transform, move-to-front and up to
 * six Huffman tables. Node has no bzip2, and ADD unpacks such archives.
 */

const FORMAT = "bzip2";
const BLOCK_MAGIC_HIGH = 0x314159;
const BLOCK_MAGIC_LOW = 0x265359;
const END_MAGIC_HIGH = 0x177245;
const END_MAGIC_LOW = 0x385090;
const GROUP_SIZE = 50;
const MAX_CODE_LENGTH = 20;
const RUN_A = 0;
const RUN_B = 1;

/**
 * Decompresses one or more bzip2 streams behind each other. Yields a block at a time (up to 900 kB before its runs are
 * expanded); a chunk is the taker's to keep.
 * @throws {DecompressError} TRUNCATED, CORRUPT
 */
export function* decodeBzip2(read: ReadBytes): Generator<Uint8Array, void, undefined> {
  const bits = new BitReader(new ByteSource(read));
  for (let isFirst = true; ; isFirst = false) {
    const level = readStreamHeader(bits, isFirst);
    if (level === undefined) return;
    const decoder = new BlockDecoder(bits, level * 100_000);
    let streamCrc = 0;
    for (;;) {
      const high = bits.read(24);
      const low = bits.read(24);
      if (high === END_MAGIC_HIGH && low === END_MAGIC_LOW) break;
      if (high !== BLOCK_MAGIC_HIGH || low !== BLOCK_MAGIC_LOW)
        throw corrupt(FORMAT, "bad magic value in block");
      const blockCrc = bits.read32();
      let crc = -1;
      for (const chunk of decoder.decode()) {
        crc = updateCrc(crc, chunk);
        yield chunk;
      }
      if (~crc >>> 0 !== blockCrc) throw corrupt(FORMAT, "block checksum mismatch");
      streamCrc = (((streamCrc << 1) | (streamCrc >>> 31)) ^ blockCrc) >>> 0;
    }
    if (bits.read32() !== streamCrc) throw corrupt(FORMAT, "file checksum mismatch");
    bits.alignToByte();
  }
}

/** The level from 1 to 9; undefined at the end of the bytes. */
function readStreamHeader(bits: BitReader, isFirst: boolean): number | undefined {
  if (!isFirst && bits.isAtEnd()) return undefined;
  const isMagic = bits.read(8) === 0x42 && bits.read(8) === 0x5a && bits.read(8) === 0x68;
  const level = isMagic ? bits.read(8) - 0x30 : 0;
  if (level >= 1 && level <= 9) return level;
  if (isFirst) throw corrupt(FORMAT, "bad magic value");
  // Padding behind the last stream.
  return undefined;
}

class BitReader {
  readonly #bytes: ByteSource;
  #bits = 0;
  #count = 0;
  #peeked: number | undefined;

  constructor(bytes: ByteSource) {
    this.#bytes = bytes;
  }

  /** @param width up to 24 */
  read(width: number): number {
    while (this.#count < width) {
      // At most 24 bits are held when a byte is added, so all fit in 32.
      this.#bits = (this.#bits << 8) | this.#nextByte();
      this.#count += 8;
    }
    this.#count -= width;
    const value = (this.#bits >>> this.#count) & ((1 << width) - 1);
    this.#bits &= (1 << this.#count) - 1;
    return value;
  }

  read32(): number {
    return this.read(16) * 0x10000 + this.read(16);
  }

  alignToByte(): void {
    this.read(this.#count % 8);
  }

  isAtEnd(): boolean {
    if (this.#count > 0) return false;
    this.#peeked ??= this.#bytes.next();
    return this.#peeked < 0;
  }

  #nextByte(): number {
    const byte = this.#peeked ?? this.#bytes.next();
    this.#peeked = undefined;
    if (byte < 0) throw truncated(FORMAT);
    return byte;
  }
}

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

class BlockDecoder {
  readonly #bits: BitReader;
  readonly #maxBytes: number;
  /** Byte values in the low 8 bits, links of the transform above. */
  readonly #transform: Uint32Array;

  constructor(bits: BitReader, maxBytes: number) {
    this.#bits = bits;
    this.#maxBytes = maxBytes;
    this.#transform = new Uint32Array(maxBytes);
  }

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

/** CRC-32 with the most significant bit first, as bzip2 has it. */
function updateCrc(start: number, bytes: Uint8Array): number {
  let crc = start;
  for (let i = 0; i < bytes.length; i++) {
    crc = (crc << 8) ^ (CRC_TABLE[((crc >>> 24) ^ (bytes[i] as number)) & 0xff] as number);
  }
  return crc;
}

const CRC_TABLE: Int32Array = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  return crc;
});
