import { ByteSource, type ReadBytes } from "./byte-source.ts";
import { BitReader } from "./bzip2-bits.ts";
import { BlockDecoder } from "./bzip2-block.ts";
import { corrupt } from "./error.ts";

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
