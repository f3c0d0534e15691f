import { rename, stat, unlink } from "node:fs/promises";
import type { Descriptor } from "../../oci/descriptor.ts";
import { createHasher, type Hasher, splitDigest } from "../../oci/digest.ts";
import { OciError } from "../../oci/error.ts";
import { isErrno, onDisk } from "../disk/disk-fault.ts";
import type { StorePaths } from "../paths.ts";
import { FileWriter } from "./file-writer.ts";
import { readChunks } from "./read-chunks.ts";

/** A blob as far as it has arrived. Disposing keeps what arrived, for whoever goes on with it later. */
export interface BlobPart extends AsyncDisposable {
  /** Bytes that are here already. */
  readonly offset: number;
  /**
   * Takes the next bytes. The chunk may be changed once this has returned, or its promise is fulfilled.
   * @throws {OciError} BLOB_CORRUPT at the first byte past the descriptor's size; {StoreError} DISK_FULL, …
   */
  append(chunk: Uint8Array): Promise<void> | undefined;
  /**
   * Verifies and makes it the blob.
   * @throws {OciError} BLOB_CORRUPT when size or digest differ; a wrong digest also removes the part
   */
  commit(): Promise<void>;
  /** Forgets what arrived. */
  discard(): Promise<void>;
}

/** Opens the part file of a blob, hashing what is in it. The caller holds the blob's lock. */
export async function openPartFile(paths: StorePaths, descriptor: Descriptor): Promise<BlobPart> {
  const path = paths.part(descriptor.digest);
  const attempt = `write blob "${descriptor.digest}"`;
  const hasher = createHasher(splitDigest(descriptor.digest).algorithm);
  const position = await onDisk(attempt, path, () => hashBegin(path, descriptor.size, hasher));
  const writer = await FileWriter.open(path, {
    attempt,
    sync: true,
    transient: true,
    flags: position > 0 ? "r+" : "w",
    position,
  });
  return new PartFile(descriptor, hasher, writer, paths.blob(descriptor.digest));
}

class PartFile implements BlobPart {
  readonly #descriptor: Descriptor;
  readonly #hasher: Hasher;
  readonly #writer: FileWriter;
  readonly #target: string;

  constructor(descriptor: Descriptor, hasher: Hasher, writer: FileWriter, target: string) {
    this.#descriptor = descriptor;
    this.#hasher = hasher;
    this.#writer = writer;
    this.#target = target;
  }

  get offset(): number {
    return this.#writer.position;
  }

  append(chunk: Uint8Array): Promise<void> | undefined {
    if (this.offset + chunk.byteLength > this.#descriptor.size) {
      throw corrupt(
        this.#descriptor,
        `more than the ${this.#descriptor.size} bytes that its descriptor says`,
      );
    }
    this.#hasher.update(chunk);
    return this.#writer.write(chunk);
  }

  async commit(): Promise<void> {
    const { digest, size } = this.#descriptor;
    if (this.offset !== size) {
      throw corrupt(this.#descriptor, `${this.offset} bytes, not the ${size} that its descriptor says`);
    }
    const found = this.#hasher.digest();
    if (found !== digest) {
      await this.discard();
      throw corrupt(this.#descriptor, `bytes whose digest is "${found}"`);
    }
    await this.#writer.finish();
    await onDisk(`write blob "${digest}"`, this.#target, () => rename(this.#writer.path, this.#target));
  }

  async discard(): Promise<void> {
    await this.#writer[Symbol.asyncDispose]();
    await unlink(this.#writer.path).catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.offset === 0) {
      await this.discard(); // nothing arrived: nothing to keep
      return;
    }
    try {
      await this.#writer.flush();
    } catch {
      // What did not get onto the disk is fetched again.
    }
    await this.#writer[Symbol.asyncDispose]();
  }
}

/** Hashes the bytes that a broken-off download left; a part longer than the blob is not its begin. */
async function hashBegin(path: string, size: number, hasher: Hasher): Promise<number> {
  let bytes: number;
  try {
    ({ size: bytes } = await stat(path));
  } catch (error) {
    if (isErrno(error, "ENOENT")) return 0;
    throw error;
  }
  if (bytes === 0 || bytes > size) return 0;
  let hashed = 0;
  for await (const chunk of readChunks(path)) {
    hasher.update(chunk);
    hashed += chunk.byteLength;
  }
  return hashed;
}

function corrupt({ digest }: Descriptor, found: string): OciError {
  return new OciError("BLOB_CORRUPT", `Cannot store blob "${digest}": the source gave ${found}`);
}
