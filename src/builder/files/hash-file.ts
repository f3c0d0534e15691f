import { createHash, hash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { fsPath } from "../../sys/index.ts";
import type { WorkSlices } from "./pause.ts";

/** Files up to this size are read in one go. */
const BUFFER_BYTES = 1024 * 1024;

/** Hashes files one after the other, through one buffer. */
export class FileHasher {
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);

  /**
   * sha256 of a file's bytes, in hex.
   * @param file.size what lstat said: a hint for reading, not a bound
   */
  async hash(
    file: { readonly hostPath: string; readonly size: number },
    options: { readonly slices: WorkSlices; readonly signal?: AbortSignal | undefined },
  ): Promise<string> {
    const descriptor = openSync(fsPath(file.hostPath), "r");
    try {
      const length = readSync(descriptor, this.#buffer, 0, BUFFER_BYTES, null);
      // A short first read of a small file is all of it; most files end here.
      if (length < BUFFER_BYTES && length >= file.size)
        return hash("sha256", this.#buffer.subarray(0, length), "hex");
      const digest = createHash("sha256");
      for (let count = length; count > 0; count = readSync(descriptor, this.#buffer, 0, BUFFER_BYTES, null)) {
        digest.update(this.#buffer.subarray(0, count));
        if (options.slices.isDue()) await options.slices.pause(options.signal);
      }
      return digest.digest("hex");
    } finally {
      closeSync(descriptor);
    }
  }
}
