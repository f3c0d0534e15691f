import { createHasher, type Digest, type DigestAlgorithm, type Hasher } from "../../oci/digest.ts";
import type { FileDigests, FollowedFile } from "./file-digests.ts";
import { readChunks } from "./read-chunks.ts";

/** The digest of a part file, found while the part arrives. */
export interface PartDigest {
  /** `chunk` is next; the file has its bytes up to `written`, which may be less or more than this chunk. */
  add(chunk: Uint8Array, written: number): void;
  /** Of the whole file, which is written now. */
  finish(): Promise<Digest>;
  /** Nobody will ask for it. */
  abandon(): void;
}

/** @param position what the file holds already: its first bytes count */
export async function digestHere(
  path: string,
  position: number,
  algorithm: DigestAlgorithm,
): Promise<PartDigest> {
  const hasher = position > 0 ? await hashFile(path, algorithm) : createHasher(algorithm);
  return {
    add: (chunk) => hasher.update(chunk),
    finish: async () => hasher.digest(),
    abandon: () => {},
  };
}

/** The same on another thread, which reads the file behind us; on this one where no thread can be had. */
export async function digestBeside(
  digests: FileDigests,
  path: string,
  position: number,
  algorithm: DigestAlgorithm,
): Promise<PartDigest> {
  let file: FollowedFile;
  try {
    file = await digests.follow(path, algorithm);
  } catch {
    return await digestHere(path, position, algorithm);
  }
  file.wrote(position);
  return {
    add: (_, written) => file.wrote(written),
    async finish() {
      try {
        return `${algorithm}:${await file.finish()}` as Digest;
      } catch {
        // The thread has died, of too little memory perhaps; the bytes are all there.
        return (await hashFile(path, algorithm)).digest();
      }
    },
    abandon: () => file.abandon(),
  };
}

async function hashFile(path: string, algorithm: DigestAlgorithm): Promise<Hasher> {
  const hasher = createHasher(algorithm);
  for await (const chunk of readChunks(path, { transient: true })) hasher.update(chunk);
  return hasher;
}
