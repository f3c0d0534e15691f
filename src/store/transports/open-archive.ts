import { randomUUID } from "node:crypto";
import { open, rm } from "node:fs/promises";
import { COMPRESSION_MAGIC_BYTES, detectCompression, type StreamCompression } from "../../tar/compression.ts";
import { readChunks } from "../blobs/read-chunks.ts";
import { decodeFile } from "../compress/decode-file.ts";
import { decompress } from "../compress/decompress.ts";
import { TransportError } from "./error.ts";
import { unreadable } from "./folder-files.ts";
import { TarFiles } from "./tar-files.ts";

export interface OpenArchiveOptions {
  /** What people call it, for messages. */
  readonly shown?: string;
  /** A folder for what has to be unpacked first; asked for only then. */
  readonly tempFolder: () => string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens an archive, plain or compressed with gzip, bzip2 or zstd. One that is compressed, or comes as a stream, is put
 * down in a temporary file first, since images are read out of order.
 * @param source a file's absolute path, or the bytes
 * @throws {TransportError} ARCHIVE_NOT_FOUND, ARCHIVE_INVALID
 */
export async function openArchive(
  source: string | AsyncIterable<Uint8Array>,
  options: OpenArchiveOptions,
): Promise<TarFiles> {
  const { signal } = options;
  const shown = options.shown ?? (typeof source === "string" ? source : "-");
  if (typeof source === "string" && (await compressionOf(source, shown)) === "none")
    return await TarFiles.open(source, { shown, signal });
  const temporary: string[] = [];
  const spool = async (bytes: AsyncIterable<Uint8Array>): Promise<string> => {
    const path = `${options.tempFolder()}/archive-${randomUUID()}`;
    temporary.push(path);
    await writeTo(path, bytes, signal);
    return path;
  };
  try {
    let path = typeof source === "string" ? source : await spool(source);
    const compression = await compressionOf(path, shown);
    if (compression !== "none") path = await spool(plain(path, compression, shown));
    // The file stays as long as it is open.
    return await TarFiles.open(path, { shown, signal });
  } catch (error) {
    signal?.throwIfAborted();
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof TransportError || !(error instanceof Error) || isOfDisk(error)) throw error;
    throw new TransportError("ARCHIVE_INVALID", `Cannot unpack "${shown}": it is damaged or was cut short`, {
      cause: code === undefined ? error : new Error(`${code}: ${error.message}`),
    });
  } finally {
    for (const path of temporary) await rm(path, { force: true });
  }
}

async function compressionOf(path: string, shown: string): Promise<StreamCompression> {
  try {
    await using handle = await open(path, "r");
    const head = Buffer.alloc(COMPRESSION_MAGIC_BYTES);
    const { bytesRead } = await handle.read(head, 0, head.length, 0);
    const found = detectCompression(head.subarray(0, bytesRead));
    // A plain tar can begin like the old lzma format.
    return found === "lzma" ? "none" : found;
  } catch (error) {
    throw unreadable(shown, error);
  }
}

async function* plain(
  path: string,
  compression: StreamCompression,
  shown: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  switch (compression) {
    case "gzip":
      yield* decompress(readChunks(path));
      return;
    case "zstd": {
      const { decodeZstd } = await import("../../util/decompress/zstd.ts");
      yield* decodeFile(path, decodeZstd);
      return;
    }
    case "bzip2": {
      const { decodeBzip2 } = await import("../../util/decompress/bzip2.ts");
      yield* decodeFile(path, decodeBzip2);
      return;
    }
    default:
      throw new TransportError(
        "ARCHIVE_INVALID",
        `Cannot unpack "${shown}": it is compressed with ${compression}`,
        {
          hint: `Unpack it first with ${compression} -d`,
        },
      );
  }
}

async function writeTo(
  path: string,
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<void> {
  await using handle = await open(path, "wx", 0o600);
  for await (const chunk of bytes) {
    signal?.throwIfAborted();
    for (let done = 0; done < chunk.byteLength; ) {
      done += (await handle.write(chunk, done)).bytesWritten;
    }
  }
}

function isOfDisk(error: Error): boolean {
  return "syscall" in error || error.name === "StoreError" || "hint" in error;
}
