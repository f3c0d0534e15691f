import { ByteSource, type ReadBytes } from "./byte-source.ts";
import { corrupt, DecompressError, truncated } from "./error.ts";
import { BLOCK_MARGIN } from "./zstd-bits.ts";
import { type HuffmanTable, LiteralsDecoder } from "./zstd-literals.ts";
import {
  decodeSequences,
  newSequenceState,
  type SequenceOutput,
  type SequenceState,
} from "./zstd-sequences.ts";

/*
 * Zstandard (RFC 8878) for the Node versions whose zlib has none, that is below 22.15. Dictionaries are not supported;
 * checksums of frames are not verified: archives and layers have their own.
 */

const FORMAT = "zstd";
const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const MAX_BLOCK_BYTES = 128 * 1024;

/** What zstd's own program accepts without being told otherwise. */
const MAX_WINDOW_BYTES = 128 * 1024 * 1024;

const NOTHING = new Uint8Array();

/**
 * Decompresses one or more frames. Chunks are at most 128 KiB, sometimes empty, and the taker's to keep. No more than a
 * block and some headers are read between two of them.
 * @throws {DecompressError} TRUNCATED, CORRUPT, UNSUPPORTED
 */
export function* decodeZstd(read: ReadBytes): Generator<Uint8Array, void, undefined> {
  const source = new ByteSource(read);
  for (let isFirst = true; ; isFirst = false) {
    const magic = readNumber(source, 4, { mayEnd: !isFirst });
    if (magic === undefined) return;
    if (magic >>> 4 === SKIPPABLE_MAGIC >>> 4) {
      for (let left = needNumber(source, 4); left > 0; left -= MAX_BLOCK_BYTES) {
        skip(source, Math.min(left, MAX_BLOCK_BYTES));
        yield NOTHING;
      }
      continue;
    }
    if (magic !== FRAME_MAGIC) throw corrupt(FORMAT, "bad magic value");
    yield* decodeFrame(source);
  }
}

interface FrameHeader {
  readonly windowBytes: number;
  readonly hasChecksum: boolean;
}

function* decodeFrame(source: ByteSource): Generator<Uint8Array, void, undefined> {
  const { windowBytes, hasChecksum } = readFrameHeader(source);
  const frame = new FrameDecoder(windowBytes);
  for (let isLast = false; !isLast; ) {
    const header = needNumber(source, 3);
    isLast = (header & 1) === 1;
    yield frame.decodeBlock(source, (header >> 1) & 3, header >>> 3);
  }
  if (hasChecksum) skip(source, 4);
}

/** RFC 8878, 3.1.1.1. */
function readFrameHeader(source: ByteSource): FrameHeader {
  const descriptor = needNumber(source, 1);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  let windowBytes = 0;
  if (!isSingleSegment) {
    const byte = needNumber(source, 1);
    const base = 2 ** (10 + (byte >> 3));
    windowBytes = base + (base / 8) * (byte & 7);
  }
  const dictionary = needNumber(source, [0, 1, 2, 4][descriptor & 3] as number);
  if (dictionary !== 0)
    throw new DecompressError(
      "UNSUPPORTED",
      `Cannot decompress ${FORMAT}: it needs dictionary ${dictionary}`,
    );
  const sizeFlag = descriptor >> 6;
  const sizeBytes = sizeFlag === 0 ? Number(isSingleSegment) : 2 ** sizeFlag;
  const size = needNumber(source, sizeBytes) + (sizeBytes === 2 ? 256 : 0);
  if (isSingleSegment) windowBytes = size;
  if (windowBytes > MAX_WINDOW_BYTES)
    throw new DecompressError(
      "UNSUPPORTED",
      `Cannot decompress ${FORMAT}: it needs a window of ${windowBytes} bytes, more than ${MAX_WINDOW_BYTES}`,
      { hint: "Compress it without --long or --ultra" },
    );
  return { windowBytes, hasChecksum: (descriptor & 4) !== 0 };
}

/** Decodes the blocks of one frame, keeping what later ones refer to. */
class FrameDecoder implements SequenceOutput {
  readonly #windowBytes: number;
  readonly #block = new Uint8Array(MAX_BLOCK_BYTES + 2 * BLOCK_MARGIN);
  readonly #literalsDecoder = new LiteralsDecoder();
  readonly #sequences: SequenceState = newSequenceState();
  #huffman: HuffmanTable | undefined;
  /** The window, then the block being decoded. Grows up to the window and two blocks, then starts over. */
  #history: Uint8Array;
  #filled = 0;
  #blockStart = 0;
  #literals: Uint8Array = this.#block;
  #literalsUsed = 0;
  #literalsLength = 0;

  constructor(windowBytes: number) {
    this.#windowBytes = windowBytes;
    this.#history = new Uint8Array(Math.min(windowBytes, 1024 * 1024) + MAX_BLOCK_BYTES);
  }

  decodeBlock(source: ByteSource, type: number, size: number): Uint8Array {
    this.#makeRoom();
    this.#blockStart = this.#filled;
    if (type === 0) this.#takeRaw(source, size);
    else if (type === 1) this.#takeRun(needNumber(source, 1), size);
    else if (type === 2) this.#takeCompressed(source, size);
    else throw corrupt(FORMAT, "block of the reserved type");
    return this.#history.slice(this.#blockStart, this.#filled);
  }

  literals(length: number): void {
    const from = this.#literalsUsed;
    if (from + length > this.#literalsLength)
      throw corrupt(FORMAT, "sequences use more literals than there are");
    this.#checkRoom(length);
    const history = this.#history;
    const at = this.#filled;
    const bytes = this.#literals;
    if (length > 32) history.set(bytes.subarray(from, from + length), at);
    else for (let i = 0; i < length; i++) history[at + i] = bytes[from + i] as number;
    this.#literalsUsed = from + length;
    this.#filled = at + length;
  }

  match(offset: number, length: number): void {
    if (offset < 1 || offset > this.#filled) throw corrupt(FORMAT, "sequence refers to what is not there");
    this.#checkRoom(length);
    const history = this.#history;
    const at = this.#filled;
    // Where a match overlaps what it writes, bytes have to be copied one after the other.
    if (offset >= length && length > 32) history.copyWithin(at, at - offset, at - offset + length);
    else for (let i = 0; i < length; i++) history[at + i] = history[at - offset + i] as number;
    this.#filled = at + length;
  }

  #takeRaw(source: ByteSource, size: number): void {
    this.#checkRoom(size);
    const into = this.#history.subarray(this.#filled, this.#filled + size);
    if (source.take(into) !== size) throw truncated(FORMAT);
    this.#filled += size;
  }

  #takeRun(byte: number, size: number): void {
    this.#checkRoom(size);
    this.#history.fill(byte, this.#filled, this.#filled + size);
    this.#filled += size;
  }

  #takeCompressed(source: ByteSource, size: number): void {
    if (size > MAX_BLOCK_BYTES || size < 2) throw corrupt(FORMAT, "compressed block of a wrong size");
    const start = BLOCK_MARGIN;
    const end = start + size;
    if (source.take(this.#block.subarray(start, end)) !== size) throw truncated(FORMAT);
    this.#block.fill(0, end, end + BLOCK_MARGIN);
    const literals = this.#literalsDecoder.decode(this.#block, start, end, this.#huffman);
    this.#huffman = literals.table;
    this.#literals = literals.bytes;
    this.#literalsLength = literals.length;
    this.#literalsUsed = 0;
    decodeSequences(this.#block, { start: literals.end, end }, this.#sequences, this);
    this.literals(literals.length - this.#literalsUsed);
  }

  #checkRoom(length: number): void {
    if (this.#filled - this.#blockStart + length > MAX_BLOCK_BYTES)
      throw corrupt(FORMAT, "block is too large");
  }

  /** Makes sure that a whole block fits behind what is there. */
  #makeRoom(): void {
    if (this.#filled + MAX_BLOCK_BYTES <= this.#history.length) return;
    const wanted = this.#windowBytes + Math.max(this.#windowBytes >> 2, 8 * MAX_BLOCK_BYTES);
    if (this.#history.length < wanted) {
      const larger = new Uint8Array(Math.min(wanted, this.#history.length * 2 + MAX_BLOCK_BYTES));
      larger.set(this.#history.subarray(0, this.#filled));
      this.#history = larger;
      if (this.#filled + MAX_BLOCK_BYTES <= larger.length) return;
    }
    const kept = Math.min(this.#windowBytes, this.#filled);
    this.#history.copyWithin(0, this.#filled - kept, this.#filled);
    this.#filled = kept;
  }
}

function needNumber(source: ByteSource, length: number): number {
  return readNumber(source, length, { mayEnd: false }) as number;
}

/** Little-endian; exact up to 2^53. */
function readNumber(
  source: ByteSource,
  length: number,
  options: { readonly mayEnd: boolean },
): number | undefined {
  let value = 0;
  let weight = 1;
  for (let i = 0; i < length; i++) {
    const byte = source.next();
    if (byte < 0) {
      if (i === 0 && options.mayEnd) return undefined;
      throw truncated(FORMAT);
    }
    value += byte * weight;
    weight *= 256;
  }
  return value;
}

function skip(source: ByteSource, length: number): void {
  for (let i = 0; i < length; i++) if (source.next() < 0) throw truncated(FORMAT);
}
