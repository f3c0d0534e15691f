import { type FileHandle, open } from "node:fs/promises";
import type { FileBytes } from "../../oci/blob-source.ts";
import { sendFile } from "../../sys/index.ts";
import { PageCacheGuess } from "./page-cache.ts";

/**
 * Opens a file whose bytes may go to a socket.
 * @param offset first byte wanted
 * @param size bytes of the file, where they are known: those behind do not count
 */
export async function openFileBytes(
  path: string,
  {
    offset = 0,
    size = Number.POSITIVE_INFINITY,
  }: { readonly offset?: number; readonly size?: number | undefined },
): Promise<FileBytes> {
  const handle = await open(path, "r");
  try {
    const end = Math.min(size, (await handle.stat()).size);
    return new OpenFileBytes(handle, offset, end);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

class OpenFileBytes implements FileBytes {
  readonly #handle: FileHandle;
  readonly #end: number;
  readonly #guess = new PageCacheGuess();
  #position: number;
  #buffer: Buffer | undefined;

  constructor(handle: FileHandle, position: number, end: number) {
    this.#handle = handle;
    this.#position = position;
    this.#end = end;
  }

  get left(): number {
    return this.#end - this.#position;
  }

  async send(socket: number, maxBytes: number): Promise<number> {
    const wanted = Math.min(maxBytes, this.left);
    const sent = await sendFile(socket, this.#handle.fd, this.#position, wanted);
    this.#position += sent;
    return sent;
  }

  async read(maxBytes: number): Promise<Uint8Array> {
    const wanted = Math.min(maxBytes, this.left);
    if (this.#buffer === undefined || this.#buffer.byteLength < wanted) {
      this.#buffer = Buffer.allocUnsafeSlow(wanted);
    }
    const buffer = this.#buffer;
    const bytesRead = await this.#guess.read(this.#handle, buffer, {
      length: wanted,
      position: this.#position,
    });
    this.#position += bytesRead;
    return buffer.subarray(0, bytesRead);
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}
