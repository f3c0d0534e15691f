import { randomUUID } from "node:crypto";
import { writeSync } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import type { ByteOutput } from "./write-archive.ts";
import { notWritable } from "./write-folder.ts";

/** A file that is complete when it appears. Disposing removes what was not committed. */
export class ArchiveFile implements ByteOutput, AsyncDisposable {
  readonly #path: string;
  readonly #shown: string;
  readonly #temporary: string;
  readonly #handle: FileHandle;
  #isDone = false;

  private constructor(path: string, shown: string, temporary: string, handle: FileHandle) {
    this.#path = path;
    this.#shown = shown;
    this.#temporary = temporary;
    this.#handle = handle;
  }

  /** @throws {TransportError} NOT_WRITABLE */
  static async create(path: string, shown: string = path): Promise<ArchiveFile> {
    // A device or a pipe can't be replaced: it is written to as it is.
    const temporary =
      path.startsWith("/dev/") || path.startsWith("/proc/")
        ? path
        : `${path}.${randomUUID().slice(0, 8)}.tmp`;
    try {
      return new ArchiveFile(
        path,
        shown,
        temporary,
        await open(temporary, temporary === path ? "w" : "wx", 0o644),
      );
    } catch (error) {
      throw notWritable(shown, error);
    }
  }

  async write(chunk: Uint8Array): Promise<void> {
    try {
      // A file takes bytes at once; waiting for another thread to hand them over takes several times as long. What a
      // pipe leads to may take its time.
      const isFile = this.#temporary !== this.#path;
      for (let done = 0; done < chunk.byteLength; )
        done += isFile
          ? writeSync(this.#handle.fd, chunk, done)
          : (await this.#handle.write(chunk, done)).bytesWritten;
    } catch (error) {
      throw notWritable(this.#shown, error);
    }
  }

  /** Gives the file its name. */
  async commit(): Promise<void> {
    try {
      await this.#handle.close();
      if (this.#temporary !== this.#path) await rename(this.#temporary, this.#path);
      this.#isDone = true;
    } catch (error) {
      throw notWritable(this.#shown, error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDone) return;
    await this.#handle.close().catch(() => undefined);
    if (this.#temporary !== this.#path) await rm(this.#temporary, { force: true });
  }
}
