import { pipeline, Readable } from "node:stream";
import { crc32, createInflateRaw, constants as zlib } from "node:zlib";
import { FilesError } from "../error.ts";

/** Reads at a position of the file; gives the number of bytes, 0 at the end. */
export type ReadAt = (into: Uint8Array, position: number) => number;

const CHUNK_BYTES = 256 * 1024;
const TRAILER_BYTES = 8;
const FLAG = { headerCrc: 2, extra: 4, name: 8, comment: 16 } as const;

/**
 * Decompresses one or more gzip members (RFC 1952) behind each other; what follows the last one is ignored. Node's own
 * decoder drops a chunk's data when something is wrong further on in it: here all that comes before a fault is given out
 * first, because a reader may have what it needs by then.
 *
 * A member that is cut off gives all it has.
 * @throws {FilesError} ARCHIVE_INVALID; zlib's errors
 */
export async function* gunzip(readAt: ReadAt): AsyncGenerator<Uint8Array, void, undefined> {
  let at = headerEnd(readAt, 0);
  if (at === undefined) throw new FilesError("ARCHIVE_INVALID", "gzip: invalid header");
  while (at !== undefined) {
    const member = { crc: 0, length: 0, end: 0 };
    yield* inflate(readAt, at, member);
    const trailer = Buffer.alloc(TRAILER_BYTES);
    if (readAt(trailer, member.end) < TRAILER_BYTES) return;
    if (trailer.readUInt32LE(0) !== member.crc || trailer.readUInt32LE(4) !== member.length)
      throw new FilesError("ARCHIVE_INVALID", "gzip: invalid checksum");
    at = headerEnd(readAt, member.end + TRAILER_BYTES);
  }
}

interface Member {
  crc: number;
  /** Of the decompressed bytes, modulo 2^32. */
  length: number;
  /** Where its compressed bytes end in the file. */
  end: number;
}

async function* inflate(
  readAt: ReadAt,
  start: number,
  member: Member,
): AsyncGenerator<Uint8Array, void, undefined> {
  function* chunks(): Generator<Uint8Array, void, undefined> {
    for (let at = start; ; ) {
      const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
      const count = readAt(buffer, at);
      if (count === 0) return;
      at += count;
      yield buffer.subarray(0, count);
    }
  }
  // With this flush a stream that is cut off gives all it has; the tar in it then says what is missing.
  const decoder = createInflateRaw({ chunkSize: CHUNK_BYTES, finishFlush: zlib.Z_SYNC_FLUSH });
  // Errors reach whoever iterates, who also ends both streams by leaving.
  for await (const chunk of pipeline(Readable.from(chunks()), decoder, () => {})) {
    const bytes = chunk as Uint8Array;
    member.crc = crc32(bytes, member.crc);
    member.length = (member.length + bytes.length) >>> 0;
    yield bytes;
  }
  member.end = start + decoder.bytesWritten;
}

/** Where a member's compressed bytes begin; undefined when no member begins at `start`. */
function headerEnd(readAt: ReadAt, start: number): number | undefined {
  const fixed = Buffer.alloc(10);
  if (readAt(fixed, start) < fixed.length) return undefined;
  if (fixed[0] !== 0x1f || fixed[1] !== 0x8b || fixed[2] !== 8) return undefined;
  const flags = fixed[3] as number;
  let at = start + fixed.length;
  if (flags & FLAG.extra) {
    const length = Buffer.alloc(2);
    if (readAt(length, at) < length.length) return undefined;
    at += length.length + length.readUInt16LE(0);
  }
  for (const flag of [FLAG.name, FLAG.comment]) {
    if (flags & flag) at = textEnd(readAt, at);
  }
  return flags & FLAG.headerCrc ? at + 2 : at;
}

/** Behind the next NUL, or at the end of the file. */
function textEnd(readAt: ReadAt, start: number): number {
  const buffer = Buffer.alloc(512);
  for (let at = start; ; ) {
    const count = readAt(buffer, at);
    const nul = buffer.subarray(0, count).indexOf(0);
    if (nul >= 0) return at + nul + 1;
    if (count === 0) return at;
    at += count;
  }
}
