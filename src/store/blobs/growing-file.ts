import { type FileHandle, open } from "node:fs/promises";
import type { OpenBlobOptions } from "../../oci/blob-source.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { GrowingBlob } from "../../oci/growing-blob.ts";
import { isErrno } from "../disk/disk-fault.ts";
import { CHUNK_BYTES } from "./read-chunks.ts";

/** What was made last stays in memory up to this, so that a reader that keeps up need not read it from the file. */
const KEPT_BYTES = 4 * 1024 * 1024;

interface KeptChunk {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/**
 * A blob while it is being written to a file: lets others read behind the writer. A slow reader never holds the writer
 * up; it reads from the file what it missed.
 */
export class GrowingFile implements GrowingBlob {
  readonly descriptor: Promise<Descriptor>;
  #resolve: (blob: Descriptor) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  #path: string;
  /** Bytes made, and how many of them are in the file for sure. The difference is in `#kept`. */
  #made = 0;
  #written = 0;
  #kept: KeptChunk[] = [];
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  readonly #waiting = new Set<() => void>();

  constructor(path: string) {
    this.#path = path;
    this.descriptor = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.descriptor.catch(() => undefined); // nobody may be waiting for it
  }

  /** The next bytes; the caller does not change them any more. */
  append(bytes: Uint8Array): void {
    this.#kept.push({ offset: this.#made, bytes });
    this.#made += bytes.byteLength;
    this.#wake();
  }

  /** The file has the bytes up to here. */
  wrote(upTo: number): void {
    this.#written = upTo;
    let first = 0;
    for (const { offset, bytes } of this.#kept) {
      if (offset + bytes.byteLength > upTo || this.#made - offset <= KEPT_BYTES) break;
      first++;
    }
    if (first > 0) this.#kept = this.#kept.slice(first);
  }

  /** All bytes have been made, and they are right. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** The file is the blob now, at `path`. */
  finish(blob: Descriptor, path: string): void {
    this.#path = path;
    this.#resolve(blob);
    this.#wake();
  }

  fail(error: unknown): void {
    this.#failure = { error };
    this.#reject(error);
    this.#wake();
  }

  open = async ({ offset = 0, signal }: OpenBlobOptions): Promise<AsyncIterable<Uint8Array>> =>
    this.#read(offset, signal);

  async *#read(offset: number, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, void, undefined> {
    let at = offset;
    let handle: FileHandle | undefined;
    const wake = (): void => this.#wake();
    signal?.addEventListener("abort", wake, { once: true });
    try {
      for (;;) {
        signal?.throwIfAborted();
        if (this.#failure !== undefined) throw this.#failure.error;
        let chunk = this.#keptFrom(at);
        if (chunk === undefined && at < this.#written) {
          handle ??= await this.#openFile();
          chunk = await readAt(handle, at, Math.min(CHUNK_BYTES, this.#written - at));
        }
        if (chunk !== undefined) {
          at += chunk.byteLength;
          yield chunk;
        } else if (this.#ended && at >= this.#made) {
          return;
        } else {
          await this.#change();
        }
      }
    } finally {
      signal?.removeEventListener("abort", wake);
      await handle?.close();
    }
  }

  #keptFrom(at: number): Uint8Array | undefined {
    const found = this.#kept.find(({ offset, bytes }) => offset <= at && at < offset + bytes.byteLength);
    return found?.bytes.subarray(at - found.offset);
  }

  /** The file moves once, when it becomes the blob: one that is not found has just been renamed. */
  async #openFile(): Promise<FileHandle> {
    const path = this.#path;
    try {
      return await open(path, "r");
    } catch (error) {
      if (!isErrno(error, "ENOENT")) throw error;
      await this.descriptor;
      if (path === this.#path) throw error;
      return await open(this.#path, "r");
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const buffer = Buffer.allocUnsafeSlow(length);
  const { bytesRead } = await handle.read(buffer, 0, length, position);
  if (bytesRead === 0) throw new Error("invariant: a file has the bytes that were written to it");
  return buffer.subarray(0, bytesRead);
}
