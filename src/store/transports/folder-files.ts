import { readFileSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { BlobBytes } from "../../oci/blob-source.ts";
import { readChunks } from "../blobs/read-chunks.ts";
import { isErrno } from "../disk/disk-fault.ts";
import { TransportError } from "./error.ts";
import type { FileSet, OpenFileOptions } from "./file-set.ts";

/** Up to here another thread takes longer to begin than this one to read. */
const LITTLE_BYTES = 64 * 1024;

/** The files of a folder. */
export class FolderFiles implements FileSet {
  readonly shown: string;
  readonly #folder: string;

  /** @param folder absolute */
  constructor(folder: string, shown: string = folder) {
    this.#folder = folder;
    this.shown = shown;
  }

  async sizeOf(name: string): Promise<number | undefined> {
    try {
      const found = statSync(join(this.#folder, name), { throwIfNoEntry: false });
      return found?.isFile() === true ? found.size : undefined;
    } catch (error) {
      if (isErrno(error, "ENOTDIR")) return undefined;
      throw unreadable(this.shown, error);
    }
  }

  async read(name: string, maxBytes: number): Promise<Uint8Array | undefined> {
    const size = await this.sizeOf(name);
    if (size === undefined) return undefined;
    if (size > maxBytes) throw tooLarge(this.shown, name, maxBytes);
    try {
      const path = join(this.#folder, name);
      return size <= LITTLE_BYTES ? readFileSync(path) : await readFile(path);
    } catch (error) {
      throw unreadable(this.shown, error);
    }
  }

  open(name: string, options: OpenFileOptions = {}): BlobBytes {
    return readChunks(join(this.#folder, name), options);
  }
}

export function tooLarge(shown: string, name: string, maxBytes: number): TransportError {
  return new TransportError(
    "ARCHIVE_INVALID",
    `Cannot read "${name}" of "${shown}": it has more than the ${maxBytes} bytes allowed`,
  );
}

const REASONS: Readonly<Record<string, string>> = {
  EISDIR: "it is a folder",
  EACCES: "permission denied",
  ESPIPE: "it is a pipe, and it takes a file, which can be read more than once",
};

/** A refusal of the file system. */
export function unreadable(shown: string, cause: unknown): unknown {
  const { code, syscall } = cause as NodeJS.ErrnoException;
  if (syscall === undefined) return cause;
  const isMissing = code === "ENOENT" || code === "ENOTDIR";
  return new TransportError(
    isMissing ? "ARCHIVE_NOT_FOUND" : "ARCHIVE_INVALID",
    `Cannot read "${shown}": ${isMissing ? "there is no such file" : (REASONS[code ?? ""] ?? code)}`,
    { cause },
  );
}
