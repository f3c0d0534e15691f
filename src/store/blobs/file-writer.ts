import { writeSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { diskFault } from "../disk/disk-fault.ts";

/** Small chunks are gathered up to this before they are written. */
const GATHER_BYTES = 1024 * 1024;

/** Chunks that may change later are copied below this size, and written at once from it on. */
const COPY_BYTES = 128 * 1024;

/** After so many bytes the kernel is asked to write them out meanwhile, so that the last sync has little left. */
const SYNC_EVERY_BYTES = 32 * 1024 * 1024;

export interface FileWriterOptions {
  /** Completes "Cannot …" in an error. */
  readonly attempt: string;
  /** Whether `finish` waits until the bytes are on the disk. */
  readonly sync: boolean;
  /** "w" makes the file anew, "r+" goes on at `position`. */
  readonly flags?: "w" | "r+";
  readonly position?: number;
  /** Chunks may be changed once `write` has returned, or its promise is fulfilled. */
  readonly transient?: boolean;
  /** What a refusal of the file system becomes; a StoreError when absent. Gives any other error back as it is. */
  readonly asError?: ((error: unknown) => unknown) | undefined;
}

/** Writes a file front to back. Chunks given to `write` must not be changed afterwards, unless they are transient. */
export class FileWriter implements AsyncDisposable {
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #asError: (error: unknown) => unknown;
  readonly #sync: boolean;
  readonly #transient: boolean;
  /** Where small transient chunks are copied to, and how much of it is used. Empty again after every flush. */
  #copies: Uint8Array = new Uint8Array(0);
  #copied = 0;
  #gathered: Uint8Array[] = [];
  #gatheredBytes = 0;
  #position: number;
  #written: number;
  #unsynced = 0;
  #syncing: Promise<void> | undefined;
  #closed = false;
  /** Set once a write failed: going on behind it would leave a hole. */
  #failure: unknown;

  private constructor(path: string, handle: FileHandle, options: FileWriterOptions) {
    this.path = path;
    this.#handle = handle;
    this.#asError = errorMaker(path, options);
    this.#sync = options.sync;
    this.#transient = options.transient ?? false;
    this.#position = options.position ?? 0;
    this.#written = this.#position;
  }

  static async open(path: string, options: FileWriterOptions): Promise<FileWriter> {
    try {
      return new FileWriter(path, await open(path, options.flags ?? "w", 0o644), options);
    } catch (error) {
      throw errorMaker(path, options)(error);
    }
  }

  /** Bytes from the file's begin to the end of what was written, gathered ones included. */
  get position(): number {
    return this.#position + this.#gatheredBytes;
  }

  /** Bytes from the file's begin that are in it for sure. */
  get written(): number {
    return this.#written;
  }

  /** Returns a promise only when something was really written: await it, so that memory stays bounded. */
  write(chunk: Uint8Array): Promise<void> | undefined {
    const mustCopy = this.#transient && chunk.byteLength < COPY_BYTES;
    this.#gathered.push(mustCopy ? this.#copy(chunk) : chunk);
    this.#gatheredBytes += chunk.byteLength;
    const isDue = this.#gatheredBytes >= GATHER_BYTES || (this.#transient && !mustCopy);
    return isDue ? this.flush() : undefined;
  }

  #copy(chunk: Uint8Array): Uint8Array {
    // What is gathered stays below GATHER_BYTES before the last chunk, so there is always room for one more.
    if (this.#copies.byteLength === 0) this.#copies = Buffer.allocUnsafeSlow(GATHER_BYTES + COPY_BYTES);
    const copy = this.#copies.subarray(this.#copied, this.#copied + chunk.byteLength);
    copy.set(chunk);
    this.#copied += chunk.byteLength;
    return copy;
  }

  /** Gives everything gathered to the kernel. */
  async flush(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      await this.#writeGathered();
    } catch (error) {
      this.#failure = this.#asError(error);
      throw this.#failure;
    }
    if (this.#sync && this.#unsynced >= SYNC_EVERY_BYTES && this.#syncing === undefined) {
      this.#unsynced = 0;
      this.#syncing = this.#handle
        .datasync()
        .catch(() => undefined) // the last sync tells
        .finally(() => {
          this.#syncing = undefined;
        });
    }
  }

  async #writeGathered(): Promise<void> {
    while (this.#gathered.length > 0) {
      const chunks = this.#gathered;
      const bytes = this.#gatheredBytes;
      this.#gathered = [];
      this.#gatheredBytes = 0;
      const at = this.#position;
      this.#position += bytes;
      if (this.#transient) writeAtOnce(this.#handle.fd, chunks, at);
      else await writeAll(this.#handle, chunks, at);
      this.#written = at + bytes;
      this.#unsynced += bytes;
    }
    this.#copied = 0;
  }

  /** Flushes, syncs where asked for, and closes. */
  async finish(): Promise<void> {
    await this.flush();
    await this.#syncing;
    try {
      if (this.#sync) await this.#handle.datasync();
    } catch (error) {
      throw this.#asError(error);
    }
    await this.#close();
  }

  /** Closes without flushing; the file stays as far as it was written. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#syncing;
    await this.#close();
  }

  async #close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#handle.close();
  }
}

function errorMaker(path: string, { attempt, asError }: FileWriterOptions): (error: unknown) => unknown {
  return asError ?? ((error) => diskFault(attempt, path, error));
}

async function writeAll(handle: FileHandle, chunks: readonly Uint8Array[], position: number): Promise<void> {
  if (chunks.length === 1) {
    await writeOne(handle, chunks[0] as Uint8Array, position);
    return;
  }
  const { bytesWritten } = await handle.writev(chunks, position);
  // A short write is rare (a full disk, mostly): the rest goes one by one, which then names the reason.
  let skip = bytesWritten;
  let at = position;
  for (const chunk of chunks) {
    if (skip < chunk.byteLength) await writeOne(handle, chunk.subarray(skip), at + skip);
    skip = Math.max(0, skip - chunk.byteLength);
    at += chunk.byteLength;
  }
}

/**
 * Writes without leaving the thread: memory that is used again must be free before the next bytes come, and to wait for
 * another thread to copy half a megabyte into the page cache takes several times as long as the copying.
 */
function writeAtOnce(fd: number, chunks: readonly Uint8Array[], position: number): void {
  let at = position;
  for (const chunk of chunks) {
    for (let done = 0; done < chunk.byteLength; )
      done += writeSync(fd, chunk, done, chunk.byteLength - done, at + done);
    at += chunk.byteLength;
  }
}

async function writeOne(handle: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < chunk.byteLength) {
    const { bytesWritten } = await handle.write(chunk, done, chunk.byteLength - done, position + done);
    done += bytesWritten;
  }
}
