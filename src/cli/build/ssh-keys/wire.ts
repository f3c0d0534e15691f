/** Values as the SSH protocols write them. @see https://www.rfc-editor.org/rfc/rfc4251#section-5 */
export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function string(value: Uint8Array | string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

/** A positive number of any size, given as its bytes. */
export function mpint(value: Uint8Array): Buffer {
  const first = value.findIndex((byte) => byte !== 0);
  const digits = first < 0 ? new Uint8Array() : value.subarray(first);
  const isHigh = (digits[0] ?? 0) >= 0x80;
  return string(isHigh ? Buffer.concat([Buffer.of(0), digits]) : digits);
}

/** Reads values one after the other. @throws {RangeError} where the bytes end too early */
export class WireReader {
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  uint32(): number {
    const value = this.#bytes.readUInt32BE(this.#offset);
    this.#offset += 4;
    return value;
  }

  string(): Buffer {
    return this.take(this.uint32());
  }

  take(length: number): Buffer {
    const end = this.#offset + length;
    if (end > this.#bytes.length) throw new RangeError("the bytes end too early");
    const value = this.#bytes.subarray(this.#offset, end);
    this.#offset = end;
    return value;
  }
}
