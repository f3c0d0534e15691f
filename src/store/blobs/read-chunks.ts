import { open } from "node:fs/promises";
import type { BlobBytes } from "../../oci/blob-source.ts";
import { openFileBytes } from "./file-bytes.ts";
import { PageCacheGuess } from "./page-cache.ts";

/** Bytes read at once. Measured on 512 MiB: 1 MiB pieces cost a third of the CPU time of 64 KiB ones. */
export const CHUNK_BYTES = 1024 * 1024;

const NOTHING = new Uint8Array(0);

export interface ReadChunksOptions {
  /** First byte wanted. */
  readonly offset?: number;
  /** Bytes of the file, where they are known: nothing past them is read, and no more memory taken than they need. */
  readonly size?: number | undefined;
  /** The consumer is done with a piece when it asks for the next: two buffers are used in turn. */
  readonly transient?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A file's bytes in pieces of 1 MiB, the next one being read while the consumer works on this one. Each piece is
 * a buffer of its own, unless `transient`. The file is closed when the iteration ends, however it ends.
 */
export function readChunks(path: string, options: ReadChunksOptions = {}): BlobBytes {
  return {
    [Symbol.asyncIterator]: () => iterate(path, options),
    openFile: () => openFileBytes(path, options),
  };
}

async function* iterate(
  path: string,
  { offset = 0, size = Number.POSITIVE_INFINITY, transient = false, signal }: ReadChunksOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const handle = await open(path, "r");
  let ahead: Promise<Uint8Array> | undefined;
  try {
    let position = offset;
    const spare: Buffer[] = [];
    const guess = new PageCacheGuess();
    const readNext = async (): Promise<Uint8Array> => {
      const wanted = Math.min(CHUNK_BYTES, size - position);
      if (wanted <= 0) return NOTHING;
      const buffer = spare.pop() ?? Buffer.allocUnsafeSlow(wanted);
      const length = Math.min(wanted, buffer.byteLength);
      const bytesRead = await guess.read(handle, buffer, { length, position });
      position += bytesRead;
      return buffer.subarray(0, bytesRead);
    };
    let chunk = await readNext();
    while (chunk.byteLength > 0) {
      signal?.throwIfAborted();
      ahead = readNext();
      // Rejections are met at the await below; without this one they could surface before it.
      ahead.catch(() => undefined);
      yield chunk;
      if (transient) spare.push(Buffer.from(chunk.buffer));
      chunk = await ahead;
      ahead = undefined;
    }
  } finally {
    await ahead?.catch(() => undefined);
    await handle.close();
  }
}
