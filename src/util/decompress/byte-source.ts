/** Fills a buffer from its start with the next bytes; returns how many, 0 only at the end. */
export type ReadBytes = (into: Uint8Array) => number;

const BUFFER_BYTES = 128 * 1024;

/** Bytes one after the other from a source that is read in large pieces. */
export class ByteSource {
  readonly #read: ReadBytes;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  #at = 0;
  #end = 0;

  constructor(read: ReadBytes) {
    this.#read = read;
  }

  /** The next byte, -1 at the end. */
  next(): number {
    if (this.#at === this.#end && !this.#refill()) return -1;
    return this.#buffer[this.#at++] as number;
  }

  /** Fills `into` as far as bytes come; returns how many. */
  take(into: Uint8Array): number {
    let filled = 0;
    while (filled < into.length) {
      if (this.#at === this.#end && !this.#refill()) break;
      const count = Math.min(into.length - filled, this.#end - this.#at);
      into.set(this.#buffer.subarray(this.#at, this.#at + count), filled);
      this.#at += count;
      filled += count;
    }
    return filled;
  }

  #refill(): boolean {
    this.#at = 0;
    this.#end = this.#read(this.#buffer);
    return this.#end > 0;
  }
}
