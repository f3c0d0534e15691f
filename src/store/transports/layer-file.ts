import { randomUUID } from "node:crypto";
import type { BlobOpener } from "../../oci/blob-source.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { createHasher, type Digest } from "../../oci/digest.ts";
import { MEDIA_TYPES, ociLayerType } from "../../oci/media-types.ts";
import {
  COMPRESSION_MAGIC_BYTES,
  detectCompression,
  TarError,
  TarParser,
  type TarSink,
} from "../../tar/index.ts";
import { readChunks } from "../blobs/read-chunks.ts";
import { decompress } from "../compress/decompress.ts";
import { TransportError } from "./error.ts";
import { unreadable } from "./folder-files.ts";
import { gzipToFile, watching } from "./gzip-file.ts";

/** A tar of somebody's as a layer: plain ones compressed, always to the same bytes, others as they are. */
export interface LayerFile {
  readonly diffId: Digest;
  /** With OCI's media type. */
  readonly descriptor: Descriptor;
  readonly open: BlobOpener;
}

/**
 * Reads a tar through, and compresses what is not compressed with gzip or zstd into the temporary folder, which the caller
 * removes.
 * @param path absolute
 * @throws {TransportError} ARCHIVE_NOT_FOUND, ARCHIVE_INVALID
 */
export async function openLayerFile(
  path: string,
  options: {
    readonly shown: string;
    readonly tempFolder: () => string;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<LayerFile> {
  const { shown, tempFolder, signal } = options;
  try {
    const compression = detectCompression(await readHead(path));
    const tarHash = createHasher();
    const check = new TarCheck();
    if (compression === "gzip" || compression === "zstd") {
      const blobHash = createHasher();
      let size = 0;
      const count = (chunk: Uint8Array): void => {
        size += chunk.byteLength;
      };
      const stored = watching(readChunks(path, { signal }), blobHash, { update: count });
      for await (const chunk of decompress(stored)) {
        signal?.throwIfAborted();
        tarHash.update(chunk);
        check.update(chunk);
      }
      check.finish();
      return {
        diffId: tarHash.digest(),
        descriptor: { mediaType: ociLayerType(compression), digest: blobHash.digest(), size },
        open: async (at) => readChunks(path, at),
      };
    }
    const target = `${tempFolder()}/layer-${randomUUID()}`;
    const plain = watching(decompress(readChunks(path, { signal })), tarHash, check);
    const { digest, size } = await gzipToFile(plain, target, { signal });
    check.finish();
    return {
      diffId: tarHash.digest(),
      descriptor: { mediaType: MEDIA_TYPES.ociLayerGzip, digest, size },
      open: async (at) => readChunks(target, at),
    };
  } catch (error) {
    signal?.throwIfAborted();
    throw asLayerError(error, shown);
  }
}

/** Whether bytes are a tar at all; its entries are looked at by whoever unpacks it. */
class TarCheck {
  readonly #parser: TarParser;

  constructor() {
    const nothing = (): void => undefined;
    const sink: TarSink = { entry: nothing, content: nothing, hole: nothing, end: nothing };
    this.#parser = new TarParser(sink, { allowMissingEnd: true });
  }

  update(chunk: Uint8Array): void {
    this.#parser.write(chunk);
  }

  finish(): void {
    this.#parser.finish();
  }
}

async function readHead(path: string): Promise<Uint8Array> {
  for await (const chunk of readChunks(path, { size: COMPRESSION_MAGIC_BYTES })) return chunk;
  return new Uint8Array();
}

function asLayerError(error: unknown, shown: string): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (error instanceof TarError || (syscall === undefined && /^Z_|^ERR_ZLIB|^ZSTD/.test(String(code)))) {
    return new TransportError(
      "ARCHIVE_INVALID",
      `Cannot use "${shown}" as a layer: it is no tar, or a damaged one`,
      {
        cause: error,
        hint: "A layer is a tar, plain or compressed with gzip or zstd",
      },
    );
  }
  return unreadable(shown, error);
}
