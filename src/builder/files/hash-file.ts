import { createHash, hash } from "node:crypto";
import { closeSync, constants, openSync, readSync } from "node:fs";
import { type ByteString, fromByteString } from "../../oci/layer-entry.ts";
import { fsPath } from "../../sys/index.ts";
import { FilesError } from "./error.ts";
import type { WorkSlices } from "./pause.ts";

/** Files up to this size are read in one go. */
const BUFFER_BYTES = 1024 * 1024;

/** Never through a symlink, and without waiting for the other end of a FIFO, put there since the file was looked at. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Hashes files one after the other, through one buffer. */
export class FileHasher {
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);

  /**
   * sha256 of a file's bytes, in hex.
   * @throws {FilesError} READ_FAILED
   * @param file.size what lstat said: a hint for reading, not a bound
   */
  async hash(
    file: { readonly hostPath: string; readonly size: number },
    options: { readonly slices: WorkSlices; readonly signal?: AbortSignal | undefined },
  ): Promise<string> {
    const descriptor = openFile(file.hostPath);
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

function openFile(hostPath: string): number {
  try {
    return openSync(fsPath(hostPath), OPEN_FLAGS);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const shown = fromByteString(hostPath as ByteString);
    const hint =
      code === "EACCES"
        ? "Make it readable, or exclude it in .dockerignore"
        : "The file changed while it was read: run the build again when nothing writes to it";
    throw new FilesError("READ_FAILED", `Cannot read "${shown}": ${code ?? message}`, { cause, hint });
  }
}
