import { createHasher, type Digest, splitDigest } from "../../oci/digest.ts";
import { StoreError } from "../error.ts";

/**
 * Passes a layer's plain bytes on and checks at the end that they have its diffID.
 * @throws {StoreError} LAYER_CORRUPT
 */
export async function* verifyTar(
  bytes: AsyncIterable<Uint8Array>,
  diffId: Digest,
): AsyncGenerator<Uint8Array, void, undefined> {
  const hasher = createHasher(splitDigest(diffId).algorithm);
  for await (const chunk of bytes) {
    hasher.update(chunk);
    yield chunk;
  }
  const found = hasher.digest();
  if (found !== diffId) {
    throw new StoreError(
      "LAYER_CORRUPT",
      `Cannot use layer "${diffId}": what the store has of it gives "${found}"`,
    );
  }
}
