import { availableParallelism } from "node:os";
import { createHasher, type Digest, type DigestAlgorithm } from "../../oci/digest.ts";
import { startBackgroundHash } from "../../sys/background-hash.ts";
import { readChunks } from "./read-chunks.ts";

/** Digests of blobs from this size on are found beside the receiving; below, loading what that takes costs more than it saves. */
const BESIDE_BYTES = 16 * 1024 * 1024;
/** Chunks below this are not worth a thread. */
const CHUNK_BESIDE_BYTES = 64 * 1024;

/** The digest of a part file, found while the part arrives. */
export interface PartDigest {
  /** `chunk` is next. It must not change, and none may follow, until the promise is fulfilled where there is one. */
  add(chunk: Uint8Array): Promise<void> | undefined;
  /** Of all that was added. */
  finish(): Digest;
  /** Nobody will ask for it. */
  abandon(): void;
}

/** @param size of the blob that the part will be; a large one's digest is found on other threads, where there are some */
export function startPartDigest(algorithm: DigestAlgorithm, size: number): PartDigest {
  const isLarge = size >= BESIDE_BYTES && availableParallelism() > 1;
  return (isLarge ? digestBeside(algorithm) : undefined) ?? digestHere(algorithm);
}

/** Adds what the part file holds already. */
export async function addFile(digest: PartDigest, path: string): Promise<void> {
  for await (const chunk of readChunks(path, { transient: true })) await digest.add(chunk);
}

function digestHere(algorithm: DigestAlgorithm): PartDigest {
  const hasher = createHasher(algorithm);
  return {
    add: (chunk) => void hasher.update(chunk),
    finish: () => hasher.digest(),
    abandon: () => {},
  };
}

function digestBeside(algorithm: DigestAlgorithm): PartDigest | undefined {
  const hash = startBackgroundHash(algorithm);
  if (hash === undefined) return undefined;
  return {
    add(chunk) {
      if (chunk.byteLength >= CHUNK_BESIDE_BYTES) return hash.update(chunk);
      hash.updateHere(chunk);
      return undefined;
    },
    finish: () => `${algorithm}:${hash.digest()}` as Digest,
    abandon: () => hash.free(),
  };
}
