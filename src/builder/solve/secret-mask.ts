/** What stands for a secret in an output. */
const MASK = "***";
/** Shorter values (`1`, `true`, `yes`) would turn up everywhere, and hide nothing worth hiding. */
const MIN_BYTES = 4;
/** Of a secret of several lines (a key, a file of settings) each line that is long enough to be one is masked alone too. */
const MIN_LINE_BYTES = 12;

/** A longer secret is a file of public data, such as a bundle of certificates, or of binary data: none of it is masked. */
const MAX_BYTES = 16 * 1024;

/**
 * Takes secrets out of one stream of output, wherever chunks break it. The beginning of a secret at the end of what came so far
 * is held back until it is known how it goes on; everything else is passed on at once.
 */
export class SecretMask {
  readonly #values: readonly string[];
  #held = "";

  /** @returns undefined where nothing is to be masked */
  static create(secrets: readonly Uint8Array[]): SecretMask | undefined {
    const values = new Set(secrets.flatMap(valuesOf));
    return values.size === 0 ? undefined : new SecretMask([...values]);
  }

  private constructor(values: readonly string[]) {
    // The longest first: of two that begin alike the whole one is to go.
    this.#values = values.toSorted((a, b) => b.length - a.length);
  }

  /** What can be shown now. Bytes are characters of latin1 in here, so that any encoding passes unchanged. */
  push(chunk: Uint8Array): Uint8Array {
    const text = this.#held + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString("latin1");
    let end = text.length - this.#beginningAtEnd(text);
    for (const value of this.#values) {
      for (let index = text.indexOf(value); index >= 0; index = text.indexOf(value, index + 1)) {
        const after = index + value.length;
        // A whole secret whose end looks like the beginning of another one.
        if (index < end && after > end) end = text.length - this.#beginningAtEnd(text.slice(after));
      }
    }
    this.#held = text.slice(end);
    return this.#masked(text.slice(0, end));
  }

  /** What is still held back, once nothing follows. */
  flush(): Uint8Array {
    const rest = this.#held;
    this.#held = "";
    return this.#masked(rest);
  }

  #masked(text: string): Uint8Array {
    // Not one pattern for all: a secret of many lines makes it larger than a pattern may be.
    let masked = text;
    for (const value of this.#values) masked = masked.replaceAll(value, MASK);
    return Buffer.from(masked, "latin1");
  }

  /** Length of the longest end of `text` that a secret begins with, the whole secret not counted. */
  #beginningAtEnd(text: string): number {
    let longest = 0;
    for (const value of this.#values) {
      for (let length = Math.min(value.length - 1, text.length); length > longest; length--) {
        if (!text.endsWith(value.slice(0, length))) continue;
        longest = length;
        break;
      }
    }
    return longest;
  }
}

/** The secret without the line end that files end with, and its lines. */
function valuesOf(secret: Uint8Array): readonly string[] {
  const whole = Buffer.from(secret)
    .toString("latin1")
    .replace(/[\r\n]+$/, "");
  if (whole.length < MIN_BYTES || whole.length > MAX_BYTES) return [];
  const lines = whole.split(/\r?\n/).filter((line) => line.length >= MIN_LINE_BYTES);
  return [whole, ...lines];
}
