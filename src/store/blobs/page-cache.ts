import { readSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { nowMs } from "../../util/now-ms.ts";

/**
 * A piece that comes sooner than this was in the page cache. To have another thread copy it from there takes longer than the
 * copying, so that is done here.
 */
const CACHED_MS = 3;
/** One late piece may be a busy processor's doing. */
const LATE_IN_A_ROW = 2;
/** So many pieces are left to other threads after that: what a disk is asked for must not hold up everything. */
const PIECES_FROM_DISK = 16;

interface Piece {
  readonly length: number;
  /** Where it begins in the file. */
  readonly position: number;
}

/** Guesses whether the next piece of a file is in the page cache, from how long the ones before took. */
export class PageCacheGuess {
  #fromDisk = 0;
  #late = 0;

  /** Reads on this thread what is probably in the page cache, and on another what is not. @returns how many bytes came */
  async read(file: FileHandle, into: Buffer, { length, position }: Piece): Promise<number> {
    if (this.#fromDisk > 0) {
      this.#fromDisk--;
      return (await file.read(into, 0, length, position)).bytesRead;
    }
    const begunMs = nowMs();
    const bytes = readSync(file.fd, into, 0, length, position);
    this.#late = nowMs() - begunMs > CACHED_MS ? this.#late + 1 : 0;
    if (this.#late >= LATE_IN_A_ROW) {
      this.#late = 0;
      this.#fromDisk = PIECES_FROM_DISK;
    }
    return bytes;
  }
}
