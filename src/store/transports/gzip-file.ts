import { open } from "node:fs/promises";
import { createHasher, type Digest } from "../../oci/digest.ts";
import { gzip } from "../compress/gzip.ts";

/** Compresses bytes into a new file, always to the same ones. */
export async function gzipToFile(
  bytes: AsyncIterable<Uint8Array>,
  path: string,
  { signal }: { readonly signal?: AbortSignal | undefined },
): Promise<{ readonly digest: Digest; readonly size: number }> {
  const hasher = createHasher();
  let size = 0;
  await using handle = await open(path, "wx", 0o600);
  for await (const chunk of gzip(bytes)) {
    signal?.throwIfAborted();
    hasher.update(chunk);
    size += chunk.byteLength;
    for (let done = 0; done < chunk.byteLength; ) done += (await handle.write(chunk, done)).bytesWritten;
  }
  return { digest: hasher.digest(), size };
}

/** Passes bytes on, and gives each piece to those who count. */
export async function* watching(
  bytes: AsyncIterable<Uint8Array>,
  ...watchers: readonly { update(chunk: Uint8Array): void }[]
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of bytes) {
    for (const watcher of watchers) watcher.update(chunk);
    yield chunk;
  }
}
