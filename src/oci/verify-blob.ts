import type { Descriptor } from "./descriptor.ts";
import { createHasher, splitDigest } from "./digest.ts";
import { OciError } from "./error.ts";

/**
 * Passes a blob's bytes on while counting and hashing them. Throws at the first surplus byte, and at the end when
 * size or digest differ: whoever consumes must not trust anything before the iteration has ended normally.
 * @throws {OciError} BLOB_CORRUPT
 */
export async function* verifyBlob(
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { digest, size }: Pick<Descriptor, "digest" | "size">,
): AsyncGenerator<Uint8Array, void, undefined> {
  const hasher = createHasher(splitDigest(digest).algorithm);
  let count = 0;
  for await (const chunk of bytes) {
    count += chunk.byteLength;
    if (count > size) throw corrupt(digest, `more than the ${size} bytes that its descriptor says`);
    hasher.update(chunk);
    yield chunk;
  }
  if (count !== size) throw corrupt(digest, `${count} bytes, not the ${size} that its descriptor says`);
  const found = hasher.digest();
  if (found !== digest) throw corrupt(digest, `bytes whose digest is "${found}"`);
}

/** Checks bytes held in memory. @throws {OciError} BLOB_CORRUPT */
export function verifyBytes(
  content: Uint8Array,
  { digest, size }: Pick<Descriptor, "digest"> & { readonly size?: number },
): void {
  if (size !== undefined && content.byteLength !== size) {
    throw corrupt(digest, `${content.byteLength} bytes, not the ${size} that its descriptor says`);
  }
  const hasher = createHasher(splitDigest(digest).algorithm);
  hasher.update(content);
  const found = hasher.digest();
  if (found !== digest) throw corrupt(digest, `bytes whose digest is "${found}"`);
}

function corrupt(digest: string, found: string): OciError {
  return new OciError("BLOB_CORRUPT", `Cannot use blob "${digest}": it has ${found}`);
}
