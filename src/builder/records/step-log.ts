import { closeSync, openSync, writeSync } from "node:fs";

/** A log of more than this is a program that runs wild; what comes after it is counted only. */
const MAX_LOG_BYTES = 1 << 30;

/**
 * The file that receives what a step writes, byte by byte as it comes. Writing waits for the kernel's memory, not
 * for the disk; it is synchronous because that takes microseconds and holds a step back that writes faster than can be kept.
 */
export class StepLog {
  readonly #fd: number;
  readonly #maxBytes: number;
  #bytes = 0;
  #dropped = 0;

  /** @param maxBytes what it may hold */
  constructor(path: string, maxBytes: number = MAX_LOG_BYTES) {
    this.#fd = openSync(path, "w", 0o600);
    this.#maxBytes = maxBytes;
  }

  /** All that was given, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How much of it the file does not hold. */
  get droppedBytes(): number {
    return this.#dropped;
  }

  write(chunk: Uint8Array): void {
    const room = this.#maxBytes - (this.#bytes - this.#dropped);
    const kept = chunk.length <= room ? chunk : chunk.subarray(0, room);
    this.#bytes += chunk.length;
    this.#dropped += chunk.length - kept.length;
    for (let offset = 0; offset < kept.length; ) offset += writeSync(this.#fd, kept, offset);
  }

  close(): void {
    closeSync(this.#fd);
  }
}
