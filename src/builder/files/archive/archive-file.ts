import { closeSync, openSync, readSync } from "node:fs";
import { decodeFile, type ReadNext } from "../../../store/compress/decode-file.ts";
import { fsPath } from "../../../sys/index.ts";
import {
  COMPRESSION_MAGIC_BYTES,
  detectCompression,
  type StreamCompression,
  TarError,
  TarParser,
} from "../../../tar/index.ts";
import { decodeBzip2 } from "../../../util/decompress/bzip2.ts";
import { decodeZstd } from "../../../util/decompress/zstd.ts";
import { gunzip } from "./gunzip.ts";

const CHUNK_BYTES = 256 * 1024;

/** What a file is to ADD; what is compressed with xz may be an archive, which takes a program to find out. */
export type ArchiveKind = "archive" | "plain" | "xz";

/**
 * Tells from its content whether ADD unpacks a file: a tar, plain or compressed with gzip, bzip2 or zstd, that has at
 * least one entry. For xz Docker runs a program `xz` where its daemon finds one, and copies the file where not: Docker's own
 * packages (docker-ce) bring it along, Debian's docker.io does not. So that a build does not depend on the machine, here xz is
 * only unpacked where `--unpack=true` asks for it. The old lzma is copied.
 *
 * @param hostPath bytes
 */
export async function detectArchive(hostPath: string): Promise<ArchiveKind> {
  const compression = readCompression(hostPath);
  if (compression === undefined) return "plain";
  if (compression === "xz") return "xz";
  let hasEntry = false;
  const parser = new TarParser({
    entry() {
      hasEntry = true;
    },
    content() {},
    hole() {},
    end() {},
  });
  try {
    for await (const chunk of readArchive(hostPath)) {
      parser.write(chunk);
      if (hasEntry) return "archive";
    }
    parser.finish();
  } catch (error) {
    // An entry of a kind that cannot be unpacked is no reason to copy the archive silently.
    if (error instanceof TarError && error.code === "UNSUPPORTED") return "archive";
    return hasEntry ? "archive" : "plain";
  }
  return "plain";
}

/** The tar's bytes, decompressed. Chunks may be used until the next one is asked for. */
export async function* readArchive(hostPath: string): AsyncGenerator<Uint8Array, void, undefined> {
  const path = fsPath(hostPath);
  switch (readCompression(hostPath)) {
    case "gzip":
      yield* readGzip(path);
      return;
    case "bzip2":
      yield* decodeFile(path, decodeBzip2);
      return;
    case "zstd":
      yield* decodeFile(path, decodeZstd);
      return;
    default:
      yield* decodeFile(path, readChunks);
  }
}

async function* readGzip(path: string | Buffer): AsyncGenerator<Uint8Array, void, undefined> {
  const descriptor = openSync(path, "r");
  try {
    yield* gunzip((into, position) => readSync(descriptor, into, 0, into.length, position));
  } finally {
    closeSync(descriptor);
  }
}

function readCompression(hostPath: string): StreamCompression | undefined {
  const head = Buffer.alloc(COMPRESSION_MAGIC_BYTES);
  const descriptor = openSync(fsPath(hostPath), "r");
  try {
    const length = readSync(descriptor, head, 0, head.length, 0);
    return length === 0 ? undefined : detectCompression(head.subarray(0, length));
  } finally {
    closeSync(descriptor);
  }
}

function* readChunks(read: ReadNext): Generator<Uint8Array, void, undefined> {
  const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  for (let count = read(buffer); count > 0; count = read(buffer)) yield buffer.subarray(0, count);
}
