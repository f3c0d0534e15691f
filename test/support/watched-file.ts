import type { FileBytes } from "../../src/oci/index.ts";
import { readChunks } from "../../src/store/index.ts";

/** A file's bytes, and what became of them. */
export class WatchedFile implements FileBytes {
  sentBytes = 0;
  closed = 0;
  readonly #file: FileBytes;

  static async open(path: string): Promise<WatchedFile> {
    return new WatchedFile((await readChunks(path).openFile?.()) as FileBytes);
  }

  constructor(file: FileBytes) {
    this.#file = file;
  }

  get left(): number {
    return this.#file.left;
  }

  async send(socket: number, maxBytes: number): Promise<number> {
    const sent = await this.#file.send(socket, maxBytes);
    this.sentBytes += sent;
    return sent;
  }

  async read(maxBytes: number): Promise<Uint8Array> {
    return await this.#file.read(maxBytes);
  }

  async close(): Promise<void> {
    this.closed++;
    await this.#file.close();
  }
}
