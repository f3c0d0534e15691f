import { COMPRESSION_MAGIC_BYTES, detectCompression } from "../../tar/compression.ts";
import { StoreError } from "../error.ts";
import { through } from "./through.ts";

/** Output bytes of one step of the codec: larger steps mean fewer trips to the thread pool. */
const CHUNK_BYTES = 512 * 1024;

/**
 * The plain bytes of a layer blob. What its content begins with decides, not its media type: images whose media
 * types are wrong exist, and every other engine reads them.
 * @throws {StoreError} COMPRESSION_UNAVAILABLE; while iterating the codec's own errors (with a `code` like
 * `Z_DATA_ERROR`) or {DecompressError} when the bytes are damaged
 */
export async function* decompress(
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const iterator = bytes[Symbol.asyncIterator]();
  try {
    const head = await readHead(iterator);
    const whole = prepend(head, iterator);
    const compression = detectCompression(head.subarray(0, COMPRESSION_MAGIC_BYTES));
    switch (compression) {
      case "gzip": {
        // Loaded only here: the codecs cost some milliseconds, and most runs need none.
        const { createGunzip } = await import("node:zlib");
        yield* through(whole, createGunzip({ chunkSize: CHUNK_BYTES }));
        return;
      }
      case "zstd": {
        const { findZstdCodec } = await import("./zstd.ts");
        const codec = findZstdCodec();
        if (codec === undefined) {
          const { zstdDecode } = await import("./zstd-decode.ts");
          yield* zstdDecode(whole);
        } else {
          yield* through(whole, codec.createZstdDecompress({ chunkSize: CHUNK_BYTES }));
        }
        return;
      }
      case "none":
      case "lzma": // its header is one that a plain tar can have too; no layer is lzma
        yield* whole;
        return;
      case "bzip2":
      case "xz":
        throw new StoreError(
          "COMPRESSION_UNAVAILABLE",
          `Cannot read a layer compressed with ${compression}`,
          {
            hint: "The image specification allows gzip and zstd",
          },
        );
      default:
        compression satisfies never;
    }
  } finally {
    await iterator.return?.();
  }
}

async function readHead(iterator: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  let head: Uint8Array = new Uint8Array();
  while (head.byteLength < COMPRESSION_MAGIC_BYTES) {
    const next = await iterator.next();
    if (next.done === true) break;
    head = head.byteLength === 0 ? next.value : Buffer.concat([head, next.value]);
  }
  return head;
}

async function* prepend(
  head: Uint8Array,
  iterator: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (head.byteLength > 0) yield head;
  for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
}
