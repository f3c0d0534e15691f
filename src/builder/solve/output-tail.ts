const MAX_BYTES = 8 * 1024;

/** Keeps the end of an output, for the error that ends it. */
export class OutputTail {
  #chunks: Uint8Array[] = [];
  #size = 0;

  add(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    while (this.#chunks.length > 1 && this.#size - (this.#chunks[0] as Uint8Array).length >= MAX_BYTES)
      this.#size -= (this.#chunks.shift() as Uint8Array).length;
  }

  /** The last lines, decoded; whole lines where more than the bound was written. */
  text(): string {
    const bytes = Buffer.concat(this.#chunks);
    const text = bytes.subarray(Math.max(0, bytes.length - MAX_BYTES)).toString("utf8");
    const isCut = bytes.length > MAX_BYTES;
    return isCut ? text.slice(text.indexOf("\n") + 1) : text;
  }
}
