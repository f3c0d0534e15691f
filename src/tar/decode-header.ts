import { TarError } from "./error.ts";

/** The fields of one header block, before PAX records and GNU names are applied. */
export interface RawHeader {
  /** The type flag as a character; "\0" in the oldest archives. */
  readonly type: string;
  readonly name: string;
  readonly link: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly uname: string;
  readonly gname: string;
  readonly mtimeSeconds: number;
  /** Bytes that follow in the archive, as far as the header tells. */
  readonly size: number;
  readonly major: number;
  readonly minor: number;
}

/** Whether every byte of a block is zero, as in the end marker. */
export function isZeroBlock(block: Buffer): boolean {
  for (let i = 0; i < block.length; i++) if (block[i] !== 0) return false;
  return true;
}

/** Whether the checksum is right, summed as unsigned bytes or, as some old programs did, as signed ones. */
export function hasValidChecksum(block: Buffer): boolean {
  let unsigned = 8 * 0x20;
  let signed = unsigned;
  for (let i = 0; i < 512; i++) {
    if (i === 148) i = 156;
    const byte = block[i] as number;
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  let expected = 0;
  try {
    expected = readNumber(block, 148, 8);
  } catch {
    return false; // no number at all: no header
  }
  return expected === unsigned || expected === signed;
}

/**
 * Reads a header of any age: v7, ustar, star, GNU.
 * @throws {TarError} HEADER_INVALID
 */
export function decodeHeader(block: Buffer): RawHeader {
  const magic = block.toString("latin1", 257, 265);
  const isPosix = magic.startsWith("ustar\0");
  const isGnu = magic === "ustar  \0";
  const name = readText(block, 0, 100);
  const prefix = isPosix ? readText(block, 345, isStar(block) ? 131 : 155) : "";
  return {
    type: String.fromCharCode(block[156] as number),
    name: prefix === "" ? name : `${prefix}/${name}`,
    link: readText(block, 157, 100),
    mode: readNumber(block, 100, 8),
    uid: readNumber(block, 108, 8),
    gid: readNumber(block, 116, 8),
    size: readNumber(block, 124, 12),
    mtimeSeconds: readNumber(block, 136, 12),
    uname: isPosix || isGnu ? readText(block, 265, 32) : "",
    gname: isPosix || isGnu ? readText(block, 297, 32) : "",
    major: isPosix || isGnu ? readNumber(block, 329, 8) : 0,
    minor: isPosix || isGnu ? readNumber(block, 337, 8) : 0,
  };
}

/** Bytes up to the first NUL, as latin1. */
export function readText(block: Buffer, at: number, length: number): string {
  let end = at;
  while (end < at + length && block[end] !== 0) end++;
  return block.toString("latin1", at, end);
}

/**
 * A number in octal, or in GNU's base-256 (two's complement, marked by the highest bit).
 * @throws {TarError} HEADER_INVALID when it is neither or no safe integer
 */
export function readNumber(block: Buffer, at: number, length: number): number {
  if ((block[at] as number) & 0x80) return readBase256(block, at, length);
  let start = at;
  let end = at + length;
  while (start < end && isPadding(block[start])) start++;
  for (let i = start; i < end; i++) {
    if (isPadding(block[i])) end = i;
  }
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = (block[i] as number) - 0x30;
    if (digit < 0 || digit > 7) throw invalidNumber(block, at, length);
    value = value * 8 + digit;
  }
  return value;
}

function isPadding(byte: number | undefined): boolean {
  return byte === 0 || byte === 0x20;
}

function readBase256(block: Buffer, at: number, length: number): number {
  const isNegative = ((block[at] as number) & 0x40) !== 0;
  let value = BigInt((block[at] as number) & 0x7f);
  for (let i = at + 1; i < at + length; i++) value = (value << 8n) | BigInt(block[i] as number);
  if (isNegative) value -= 1n << BigInt(length * 8 - 1);
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw invalidNumber(block, at, length);
  return number;
}

function isStar(block: Buffer): boolean {
  return block.toString("latin1", 508, 512) === "tar\0";
}

function invalidNumber(block: Buffer, at: number, length: number): TarError {
  const field = JSON.stringify(block.toString("latin1", at, at + length));
  return new TarError("HEADER_INVALID", `Cannot read archive: header field ${field} is no number`);
}
