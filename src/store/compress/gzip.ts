import { availableParallelism } from "node:os";
import { constants, crc32, deflateRaw } from "node:zlib";
import { cutBlocks } from "./blocks.ts";
import { isIncompressible } from "./entropy.ts";
import { DEFAULT_GZIP_LEVEL } from "./levels.ts";
import { blocksAtOnce, mapInOrder } from "./map-in-order.ts";
import { storedBlocks } from "./stored-blocks.ts";

export interface GzipOptions {
  /** 0 (stored) to 9; `DEFAULT_GZIP_LEVEL` when absent. */
  readonly level?: number;
  /** Blocks compressed at once; has no influence on the bytes. */
  readonly parallelism?: number;
}

/** Input bytes of one block. */
const BLOCK_BYTES = 1024 * 1024;

const OUTPUT_BYTES = 640 * 1024;

/** How far back a deflate stream may refer: the end of one block serves the next as dictionary. */
const WINDOW_BYTES = 32 * 1024;

/** Magic, method deflate, no flags, no time, no extra flags, operating system unknown (RFC 1952). */
const HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255);

/** An empty final block with fixed codes: it ends the deflate stream after the last flush. */
const END_OF_STREAM = Uint8Array.of(0x03, 0x00);

/**
 * Compresses to one gzip member with all cores: blocks of 1 MiB are deflated independently in Node's thread pool,
 * each knowing the 32 KiB before it and ending at a byte boundary (a sync flush), and put together in order. Blocks
 * that won't shrink are stored. The output depends on the input and the level only, not on chunks, cores or timing.
 */
export async function* gzip(
  bytes: AsyncIterable<Uint8Array>,
  { level = DEFAULT_GZIP_LEVEL, parallelism = availableParallelism() }: GzipOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  yield HEADER;
  let crc = 0;
  let count = 0;
  let before: Uint8Array | undefined;
  yield* mapInOrder(cutBlocks(bytes, BLOCK_BYTES), blocksAtOnce(parallelism), (block) => {
    crc = crc32(block, crc);
    count += block.byteLength;
    const dictionary = before;
    before = block.subarray(-WINDOW_BYTES);
    return compressBlock(block, dictionary, level);
  });
  yield END_OF_STREAM;
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc, 0);
  trailer.writeUInt32LE(count % 2 ** 32, 4);
  yield trailer;
}

async function compressBlock(
  block: Uint8Array,
  dictionary: Uint8Array | undefined,
  level: number,
): Promise<Uint8Array> {
  if (level === 0 || isIncompressible(block)) return storedBlocks(block);
  const options = {
    level,
    // Room for what comes of most blocks; the others take a second round through the thread pool. Room for all of every
    // block would have the garbage collector at work all the time.
    chunkSize: OUTPUT_BYTES,
    finishFlush: constants.Z_SYNC_FLUSH,
    ...(dictionary === undefined ? {} : { dictionary }),
  };
  return await new Promise((resolve, reject) => {
    deflateRaw(block, options, (error, result) => (error === null ? resolve(result) : reject(error)));
  });
}
