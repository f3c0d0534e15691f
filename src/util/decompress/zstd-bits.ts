import { corrupt } from "./error.ts";

/** Zero bytes that a block's buffer has before and after its content, so that four bytes can be read anywhere. */
export const BLOCK_MARGIN = 8;

/**
 * Bits read from the end of a range towards its start, as zstd's entropy-coded streams are. The last set bit of the last
 * byte marks the end and is no data. Reading past the start is allowed and gives bits that mean nothing.
 */
export class ReverseBits {
  readonly #bytes: Uint8Array;
  readonly #start: number;
  /** Bits left; negative when more were read than there are. */
  remaining: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    const last = end > start ? (bytes[end - 1] as number) : 0;
    if (last === 0) throw corrupt("zstd", "bit stream without an end mark");
    this.#bytes = bytes;
    this.#start = start;
    this.remaining = (end - start) * 8 - 8 + (31 - Math.clz32(last));
  }

  /** @param width up to 24 */
  peek(width: number): number {
    const at = this.remaining - width;
    const byte = this.#start + (at >> 3);
    if (byte < 0) return 0;
    const bytes = this.#bytes;
    const word =
      (bytes[byte] as number) |
      ((bytes[byte + 1] as number) << 8) |
      ((bytes[byte + 2] as number) << 16) |
      ((bytes[byte + 3] as number) << 24);
    return (word >>> (at & 7)) & ((1 << width) - 1);
  }

  /** @param width up to 31 */
  read(width: number): number {
    if (width > 24) {
      const high = this.read(width - 16);
      return high * 0x10000 + this.read(16);
    }
    const value = this.peek(width);
    this.remaining -= width;
    return value;
  }
}
