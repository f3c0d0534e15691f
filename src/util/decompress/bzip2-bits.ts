import type { ByteSource } from "./byte-source.ts";
import { truncated } from "./error.ts";

/** Bits from the most significant one of each byte on. */
export class BitReader {
  readonly #bytes: ByteSource;
  #bits = 0;
  #count = 0;
  #peeked: number | undefined;

  constructor(bytes: ByteSource) {
    this.#bytes = bytes;
  }

  /** @param width up to 24 */
  read(width: number): number {
    while (this.#count < width) {
      // At most 24 bits are held when a byte is added, so all fit in 32.
      this.#bits = (this.#bits << 8) | this.#nextByte();
      this.#count += 8;
    }
    this.#count -= width;
    const value = (this.#bits >>> this.#count) & ((1 << width) - 1);
    this.#bits &= (1 << this.#count) - 1;
    return value;
  }

  read32(): number {
    return this.read(16) * 0x10000 + this.read(16);
  }

  alignToByte(): void {
    this.read(this.#count % 8);
  }

  isAtEnd(): boolean {
    if (this.#count > 0) return false;
    this.#peeked ??= this.#bytes.next();
    return this.#peeked < 0;
  }

  #nextByte(): number {
    const byte = this.#peeked ?? this.#bytes.next();
    this.#peeked = undefined;
    if (byte < 0) throw truncated("bzip2");
    return byte;
  }
}
