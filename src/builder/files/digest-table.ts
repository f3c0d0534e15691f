import type { FileStamp } from "./types.ts";

/** What is remembered of one file. All numbers are what lstat says. */
export interface DigestRecord extends FileStamp {
  readonly size: number;
  /** Days since the epoch when it was last asked for; files that nobody asks for are forgotten. */
  readonly usedOnDay: number;
  /** sha256 in hex. */
  readonly digest: string;
}

const MAGIC = "strake digests 1";
const HEADER_BYTES = 24;
const NUMBERS = 6;
const USED_ON_DAY = 5;
const DIGEST_BYTES = 32;

/**
 * Records by path, as a file keeps them: in this machine's byte order the magic, how many there are, six doubles for
 * each, 32 bytes of digest for each, then the paths (bytes) with a NUL behind each. They stay in that form: a
 * context has tens of thousands, and most builds only compare them.
 */
export class DigestTable {
  readonly #paths: readonly string[];
  readonly #numbers: Float64Array;
  readonly #digests: Buffer;
  /** Built at the first question that is not about the record behind the last one: walks ask in the same order. */
  #indexes: ReadonlyMap<string, number> | undefined;
  #next = 0;

  private constructor(paths: readonly string[], numbers: Float64Array, digests: Buffer) {
    this.#paths = paths;
    this.#numbers = numbers;
    this.#digests = digests;
  }

  /** Empty for bytes that are not of this format or cut short. */
  static decode(bytes: Buffer): DigestTable {
    const empty = new DigestTable([], new Float64Array(0), Buffer.alloc(0));
    if (bytes.length < HEADER_BYTES || bytes.toString("latin1", 0, MAGIC.length) !== MAGIC) return empty;
    const count = bytes.readUInt32LE(MAGIC.length);
    const digestsAt = HEADER_BYTES + count * NUMBERS * 8;
    const pathsAt = digestsAt + count * DIGEST_BYTES;
    if (pathsAt > bytes.length) return empty;
    const paths = bytes.toString("latin1", pathsAt).split("\0");
    if (paths.length !== count + 1) return empty;
    // A copy, since the offset inside the file's buffer need not be a multiple of 8.
    const numbers = new Float64Array(count * NUMBERS);
    bytes.copy(Buffer.from(numbers.buffer), 0, HEADER_BYTES, digestsAt);
    return new DigestTable(paths.slice(0, count), numbers, bytes.subarray(digestsAt, pathsAt));
  }

  static encode(records: Iterable<readonly [string, DigestRecord]>): Buffer {
    const all = [...records];
    const numbers = new Float64Array(all.length * NUMBERS);
    const digests = Buffer.alloc(all.length * DIGEST_BYTES);
    for (const [i, [, record]] of all.entries()) {
      const { size, dev, ino, mtimeMs, ctimeMs, usedOnDay, digest } = record;
      numbers.set([size, dev, ino, mtimeMs, ctimeMs, usedOnDay], i * NUMBERS);
      digests.write(digest, i * DIGEST_BYTES, "hex");
    }
    const header = Buffer.alloc(HEADER_BYTES);
    header.write(MAGIC, "latin1");
    header.writeUInt32LE(all.length, MAGIC.length);
    const paths = Buffer.from(all.map(([path]) => `${path}\0`).join(""), "latin1");
    return Buffer.concat([header, Buffer.from(numbers.buffer), digests, paths]);
  }

  /** Index of the record of a path; -1 where there is none. */
  find(path: string): number {
    if (this.#paths[this.#next] === path) return this.#next++;
    this.#indexes ??= new Map(this.#paths.map((known, index) => [known, index]));
    const index = this.#indexes.get(path) ?? -1;
    this.#next = index + 1;
    return index;
  }

  isSame(index: number, size: number, stamp: FileStamp): boolean {
    const numbers = this.#numbers;
    const at = index * NUMBERS;
    return (
      numbers[at] === size &&
      numbers[at + 3] === stamp.mtimeMs &&
      numbers[at + 4] === stamp.ctimeMs &&
      numbers[at + 2] === stamp.ino &&
      numbers[at + 1] === stamp.dev
    );
  }

  digestAt(index: number): string {
    return this.#digests.toString("hex", index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES);
  }

  /** Notes the day of use; false when it was that day already. */
  touch(index: number, day: number): boolean {
    const at = index * NUMBERS + USED_ON_DAY;
    if (this.#numbers[at] === day) return false;
    this.#numbers[at] = day;
    return true;
  }

  *records(): Generator<readonly [string, DigestRecord], void, undefined> {
    for (const [index, path] of this.#paths.entries()) {
      const [size = 0, dev = 0, ino = 0, mtimeMs = 0, ctimeMs = 0, usedOnDay = 0] = this.#numbers.subarray(
        index * NUMBERS,
        (index + 1) * NUMBERS,
      );
      yield [path, { size, dev, ino, mtimeMs, ctimeMs, usedOnDay, digest: this.digestAt(index) }];
    }
  }
}
