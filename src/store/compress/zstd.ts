import { availableParallelism } from "node:os";
import type { Duplex } from "node:stream";
import * as zlib from "node:zlib";
import { StoreError } from "../error.ts";
import { cutBlocks } from "./blocks.ts";
import { DEFAULT_ZSTD_LEVEL } from "./levels.ts";
import { blocksAtOnce, mapInOrder } from "./map-in-order.ts";
import { findZstdProgram, zstdByProgram } from "./zstd-program.ts";

/** Input bytes of one frame: as far as level 3 looks back, so that cutting costs next to nothing. */
const FRAME_BYTES = 2 * 1024 * 1024;

export interface ZstdOptions {
  /** 1 to 22; `DEFAULT_ZSTD_LEVEL` when absent. */
  readonly level?: number;
  /** Frames compressed at once; has no influence on the bytes. */
  readonly parallelism?: number;
  /** Folders to look for the program `zstd` in where Node has no such codec, as PATH has them. */
  readonly searchPath?: string;
}

interface CompressOptions {
  readonly chunkSize: number;
  readonly params: Readonly<Record<number, number>>;
}

/** The part of node:zlib that Node 22.15 brought; its types for Node 20 don't know it. */
interface ZstdCodec {
  zstdCompress(
    bytes: Uint8Array,
    options: CompressOptions,
    done: (error: Error | null, result: Uint8Array) => void,
  ): void;
  createZstdDecompress(options: { readonly chunkSize: number }): Duplex;
  readonly constants: { readonly ZSTD_c_compressionLevel: number; readonly ZSTD_c_checksumFlag: number };
}

/** Node's own, where it has one. */
export function findZstdCodec(): ZstdCodec | undefined {
  const codec: unknown = zlib;
  return isZstdCodec(codec) ? codec : undefined;
}

/**
 * Whether there is something to compress with: Node's codec, or the program.
 * @throws {StoreError} COMPRESSION_UNAVAILABLE
 */
export function requireZstd(searchPath: string): void {
  if (findZstdCodec() === undefined && findZstdProgram(searchPath) === undefined) throw unavailable();
}

function unavailable(): StoreError {
  return new StoreError(
    "COMPRESSION_UNAVAILABLE",
    `Cannot compress with zstd: there is no zstd program here, and this Node.js (${process.version}) can only read it`,
    {
      hint: "Install zstd (apt-get install zstd), or run strake with Node.js 22.15 or newer, or use compression=gzip",
    },
  );
}

function isZstdCodec(value: unknown): value is ZstdCodec {
  return typeof (value as Partial<ZstdCodec>).zstdCompress === "function";
}

/**
 * Compresses with all cores: with Node's codec where it has one, else with the machine's program.
 * @throws {StoreError} COMPRESSION_UNAVAILABLE
 */
export async function* zstd(
  bytes: AsyncIterable<Uint8Array>,
  { level = DEFAULT_ZSTD_LEVEL, parallelism = availableParallelism(), searchPath = "" }: ZstdOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const codec = findZstdCodec();
  if (codec !== undefined) {
    yield* zstdByCodec(bytes, codec, { level, parallelism });
    return;
  }
  const program = findZstdProgram(searchPath);
  if (program === undefined) throw unavailable();
  yield* zstdByProgram(bytes, { program, level });
}

/**
 * Compresses to zstd frames of 2 MiB, each with a checksum, one after the other (RFC 8878, 3). The output depends on the
 * input, the level and the version of Node's library.
 */
async function* zstdByCodec(
  bytes: AsyncIterable<Uint8Array>,
  codec: ZstdCodec,
  { level, parallelism }: { readonly level: number; readonly parallelism: number },
): AsyncGenerator<Uint8Array, void, undefined> {
  const { ZSTD_c_compressionLevel, ZSTD_c_checksumFlag } = codec.constants;
  const compress = (block: Uint8Array): Promise<Uint8Array> =>
    new Promise((resolve, reject) => {
      // Room for all of the output, so that one trip to the thread pool does.
      const chunkSize = block.byteLength + 64 * 1024;
      const params = { [ZSTD_c_compressionLevel]: level, [ZSTD_c_checksumFlag]: 1 };
      codec.zstdCompress(block, { chunkSize, params }, (error, result) =>
        error === null ? resolve(result) : reject(error),
      );
    });
  let isEmpty = true;
  for await (const frame of mapInOrder(cutBlocks(bytes, FRAME_BYTES), blocksAtOnce(parallelism), compress)) {
    isEmpty = false;
    yield frame;
  }
  if (isEmpty) yield await compress(new Uint8Array()); // nothing at all would be no zstd
}
