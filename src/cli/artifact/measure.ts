import { createHasher, type Digest } from "../../oci/index.ts";
import { FileWriter } from "../../store/blobs/file-writer.ts";

/** What a descriptor says of bytes, but for what they are. */
export interface Measured {
  readonly digest: Digest;
  readonly size: number;
}

/** Reads bytes to their end. A chunk is done with when the next is asked for. */
export async function measure(bytes: AsyncIterable<Uint8Array>): Promise<Measured> {
  const hasher = createHasher();
  let size = 0;
  for await (const chunk of bytes) {
    hasher.update(chunk);
    size += chunk.byteLength;
  }
  return { digest: hasher.digest(), size };
}

/**
 * Writes bytes down in a file.
 * @param attempt completes "Cannot …" in an error @throws {StoreError} DISK_FULL, …
 */
export async function writeMeasured(
  bytes: AsyncIterable<Uint8Array>,
  target: string,
  { attempt, signal }: { readonly attempt: string; readonly signal: AbortSignal },
): Promise<Measured> {
  await using file = await FileWriter.open(target, { attempt, sync: false });
  const measured = await measure(written(bytes, file, signal));
  await file.finish();
  return measured;
}

async function* written(
  bytes: AsyncIterable<Uint8Array>,
  file: FileWriter,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of bytes) {
    signal.throwIfAborted();
    await file.write(chunk);
    yield chunk;
  }
}
