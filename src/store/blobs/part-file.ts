import { rename, stat, unlink } from "node:fs/promises";
import { availableParallelism } from "node:os";
import type { BlobOpener } from "../../oci/blob-source.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { splitDigest } from "../../oci/digest.ts";
import { OciError } from "../../oci/error.ts";
import { diskFault, isErrno } from "../disk/disk-fault.ts";
import type { FileDigests } from "./file-digests.ts";
import { FileWriter, type FileWriterOptions } from "./file-writer.ts";
import { digestBeside, digestHere, type PartDigest } from "./part-digest.ts";

/** Digests of blobs from this size on are found beside the receiving; below, starting a thread costs more than it saves. */
const FOLLOW_BYTES = 64 * 1024 * 1024;

const NOTHING = new Uint8Array(0);

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

export interface PartPlace {
  /** Where the bytes gather. What is there already is taken for the blob's begin. */
  readonly path: string;
  /** Where the blob belongs, in the same file system. */
  readonly target: string;
  /** Whether the blob is on the disk when it appears. */
  readonly sync: boolean;
  /** Where the digests of large blobs are found. */
  readonly digests: FileDigests;
  /** What a refusal of the file system becomes; a StoreError when absent. */
  readonly asError?: ((error: unknown) => unknown) | undefined;
}

/** Opens the part file of a blob, for whose digest what is in it counts. Nobody else may have it open. */
export async function openPartFile(
  descriptor: Descriptor,
  { path, target, sync, digests, asError }: PartPlace,
): Promise<BlobPart> {
  const attempt = `write blob "${descriptor.digest}"`;
  const toError = asError ?? ((error: unknown) => diskFault(attempt, target, error));
  const { algorithm } = splitDigest(descriptor.digest);
  try {
    const { position, flags } = await findBegin(path, descriptor.size);
    const writer = await FileWriter.open(path, { attempt, sync, transient: true, flags, position, asError });
    try {
      const isFollowed = descriptor.size >= FOLLOW_BYTES && availableParallelism() > 1;
      const digest = isFollowed
        ? await digestBeside(digests, path, position, algorithm)
        : await digestHere(path, position, algorithm);
      return new PartFile(descriptor, { digest, writer, target, toError });
    } catch (error) {
      await writer[Symbol.asyncDispose]();
      throw error;
    }
  } catch (error) {
    throw toError(error);
  }
}

export interface FillOptions {
  readonly open: BlobOpener;
  readonly signal?: AbortSignal | undefined;
  /** Called with a count of bytes that are here; a negative one takes back what turned out to be wrong. */
  readonly onBytes?: ((count: number) => void) | undefined;
}

/**
 * Reads a blob into its part, from where the part ends, and makes it the blob. `openPart` gives undefined when the blob is
 * there by now.
 */
export async function writeThroughPart(
  openPart: () => Promise<BlobPart | undefined>,
  descriptor: Descriptor,
  options: FillOptions,
): Promise<void> {
  for (;;) {
    await using part = await openPart();
    if (part === undefined) return;
    const begin = part.offset;
    await fillPart(part, descriptor, options);
    try {
      await part.commit();
      return;
    } catch (error) {
      // The begin came from an earlier run, perhaps cut off by a loss of power: once more, without it.
      const isWorthAnother = error instanceof OciError && begin > 0 && part.offset === descriptor.size;
      if (!isWorthAnother) throw error;
      options.onBytes?.(-descriptor.size);
    }
  }
}

/** Reads a blob into its part, from where the part ends. */
async function fillPart(
  part: BlobPart,
  { size }: Descriptor,
  { open, signal, onBytes }: FillOptions,
): Promise<void> {
  const { offset } = part;
  if (offset > 0) onBytes?.(offset);
  if (offset >= size) return;
  for await (const chunk of await open({ offset, transient: true, signal })) {
    signal?.throwIfAborted();
    const written = part.append(chunk);
    onBytes?.(chunk.byteLength);
    if (written !== undefined) await written;
  }
}

interface PartFileDeps {
  readonly digest: PartDigest;
  readonly writer: FileWriter;
  readonly target: string;
  readonly toError: (error: unknown) => unknown;
}

class PartFile implements BlobPart {
  readonly #descriptor: Descriptor;
  readonly #digest: PartDigest;
  readonly #writer: FileWriter;
  readonly #target: string;
  readonly #toError: (error: unknown) => unknown;

  constructor(descriptor: Descriptor, { digest, writer, target, toError }: PartFileDeps) {
    this.#descriptor = descriptor;
    this.#digest = digest;
    this.#writer = writer;
    this.#target = target;
    this.#toError = toError;
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
    const written = this.#writer.write(chunk);
    this.#digest.add(chunk, this.#writer.written);
    return written;
  }

  async commit(): Promise<void> {
    const { digest, size } = this.#descriptor;
    if (this.offset !== size) {
      throw corrupt(this.#descriptor, `${this.offset} bytes, not the ${size} that its descriptor says`);
    }
    await this.#writer.flush();
    this.#digest.add(NOTHING, size);
    const finished = this.#writer.finish();
    finished.catch(() => undefined); // is waited for below
    const found = await this.#digest.finish();
    if (found !== digest) {
      await this.discard();
      throw corrupt(this.#descriptor, `bytes whose digest is "${found}"`);
    }
    await finished;
    try {
      await rename(this.#writer.path, this.#target);
    } catch (error) {
      throw this.#toError(error);
    }
  }

  async discard(): Promise<void> {
    this.#digest.abandon();
    await this.#writer[Symbol.asyncDispose]();
    await unlink(this.#writer.path).catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.offset === 0) {
      await this.discard(); // nothing arrived: nothing to keep
      return;
    }
    this.#digest.abandon();
    try {
      await this.#writer.flush();
    } catch {
      // What did not get onto the disk is fetched again.
    }
    await this.#writer[Symbol.asyncDispose]();
  }
}

/**
 * Where to go on, and how to open the file. A part longer than the blob is not its begin. One that is there is not truncated
 * without need, even if it is empty: ext4 writes out what was truncated when it is closed, and makes us wait for it.
 */
async function findBegin(
  path: string,
  size: number,
): Promise<Required<Pick<FileWriterOptions, "position" | "flags">>> {
  try {
    const { size: bytes } = await stat(path);
    return bytes > size ? { position: 0, flags: "w" } : { position: bytes, flags: "r+" };
  } catch (error) {
    if (isErrno(error, "ENOENT")) return { position: 0, flags: "w" };
    throw error;
  }
}

function corrupt({ digest }: Descriptor, found: string): OciError {
  return new OciError("BLOB_CORRUPT", `Cannot store blob "${digest}": the source gave ${found}`);
}
