import { setImmediate } from "node:timers/promises";
import { decodeZstd } from "../../util/decompress/zstd.ts";

/** More than the decoder takes for one step: a block of 128 KiB, and what stands between blocks. */
const STEP_BYTES = 256 * 1024;

/**
 * Decompresses zstd where Node cannot (below 22.15), at some 40 MB/s, in this thread: other work goes on between the
 * blocks. Memory is bounded by the frames' window, 128 MiB at most.
 * @throws {DecompressError} while iterating, when the bytes are damaged or need more than that
 */
export async function* zstdDecode(
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const input = new InputQueue();
  const iterator = bytes[Symbol.asyncIterator]();
  const steps = decodeZstd((into) => input.take(into));
  try {
    for (let ended = false; ; ) {
      // The decoder cannot wait, so what its next step may need has to be here before.
      while (!ended && input.byteLength < STEP_BYTES) {
        const next = await iterator.next();
        if (next.done === true) ended = true;
        else input.add(next.value);
      }
      const step = steps.next();
      if (step.done === true) return;
      if (step.value.byteLength > 0) yield step.value;
      await setImmediate();
    }
  } finally {
    await iterator.return?.();
  }
}

/** Bytes that have come and were not taken yet. */
class InputQueue {
  #chunks: Uint8Array[] = [];
  byteLength = 0;

  add(chunk: Uint8Array): void {
    if (chunk.byteLength === 0) return;
    this.#chunks.push(chunk);
    this.byteLength += chunk.byteLength;
  }

  /** Fills `into` as far as there are bytes; returns how many. */
  take(into: Uint8Array): number {
    let filled = 0;
    for (let first = this.#chunks[0]; first !== undefined && filled < into.length; first = this.#chunks[0]) {
      const taken = first.subarray(0, into.length - filled);
      into.set(taken, filled);
      filled += taken.byteLength;
      if (taken.byteLength === first.byteLength) this.#chunks.shift();
      else this.#chunks[0] = first.subarray(taken.byteLength);
    }
    this.byteLength -= filled;
    return filled;
  }
}
