import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import * as zlib from "node:zlib";
import { StoreError } from "../error.ts";

/** What zstd's own program uses. */
export const DEFAULT_ZSTD_LEVEL = 3;

/** The part of node:zlib that Node 22.15 brought; its types for Node 20 don't know it. */
interface ZstdCodec {
  createZstdCompress(options: { readonly params: Readonly<Record<number, number>> }): Duplex;
  createZstdDecompress(options: { readonly chunkSize: number }): Duplex;
  readonly constants: { readonly ZSTD_c_compressionLevel: number; readonly ZSTD_c_checksumFlag: number };
}

/** @throws {StoreError} COMPRESSION_UNAVAILABLE */
export function zstdCodec(attempt: string): ZstdCodec {
  const codec: unknown = zlib;
  if (isZstdCodec(codec)) return codec;
  throw new StoreError(
    "COMPRESSION_UNAVAILABLE",
    `Cannot ${attempt}: this Node.js (${process.version}) has no zstd`,
    { hint: "Run strake with Node.js 22.15 or newer, or use gzip" },
  );
}

function isZstdCodec(value: unknown): value is ZstdCodec {
  return typeof (value as Partial<ZstdCodec>).createZstdCompress === "function";
}

/** Compresses to one zstd frame with a checksum. @throws {StoreError} COMPRESSION_UNAVAILABLE */
export async function* zstd(
  bytes: AsyncIterable<Uint8Array>,
  { level = DEFAULT_ZSTD_LEVEL }: { readonly level?: number } = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const codec = zstdCodec("compress with zstd");
  const { ZSTD_c_compressionLevel, ZSTD_c_checksumFlag } = codec.constants;
  yield* through(
    bytes,
    codec.createZstdCompress({ params: { [ZSTD_c_compressionLevel]: level, [ZSTD_c_checksumFlag]: 1 } }),
  );
}

/** Passes bytes through a codec stream. */
export async function* through(
  bytes: AsyncIterable<Uint8Array>,
  codec: Duplex,
): AsyncGenerator<Uint8Array, void, undefined> {
  const feeding = pipeline(bytes, codec).catch(() => undefined); // reaches us through the codec
  try {
    for await (const chunk of codec) yield chunk as Uint8Array;
  } finally {
    codec.destroy();
    await feeding;
  }
}
