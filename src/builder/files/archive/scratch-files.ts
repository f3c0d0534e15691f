import { closeSync, ftruncateSync, mkdirSync, openSync, writeSync } from "node:fs";
import { toByteString } from "../../../oci/layer-entry.ts";
import type { EntryContent } from "../../../store/layers/types.ts";
import { fsPath } from "../../../sys/index.ts";

/** Files up to this size stay in memory, while all of them together are below the second bound. */
const SMALL_FILE_BYTES = 32 * 1024;
const MEMORY_BYTES = 32 * 1024 * 1024;

/** Keeps the bytes of unpacked files until the layer is written: small ones in memory, others in a folder. */
export class ScratchFiles {
  readonly #folder: string;
  #count = 0;
  #inMemory = 0;

  /** @param folder text; made when the first file needs it, and removed by whoever named it */
  constructor(folder: string) {
    this.#folder = folder;
  }

  create(size: number): ScratchFile {
    const fitsMemory = size <= SMALL_FILE_BYTES && this.#inMemory + size <= MEMORY_BYTES;
    if (fitsMemory) {
      this.#inMemory += size;
      return new MemoryFile(size);
    }
    if (this.#count === 0) mkdirSync(this.#folder, { recursive: true });
    return new DiskFile(toByteString(`${this.#folder}/unpacked-${this.#count++}`));
  }
}

/** A file being filled, from its beginning to its end. */
export interface ScratchFile {
  write(bytes: Uint8Array): void;
  /** That many zeros. */
  skip(length: number): void;
  /** No more bytes come. */
  close(): EntryContent;
}

class MemoryFile implements ScratchFile {
  readonly #bytes: Uint8Array;
  #filled = 0;

  constructor(size: number) {
    this.#bytes = new Uint8Array(size);
  }

  write(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#filled);
    this.#filled += bytes.length;
  }

  skip(length: number): void {
    this.#filled += length;
  }

  close(): EntryContent {
    return { kind: "bytes", bytes: this.#bytes };
  }
}

class DiskFile implements ScratchFile {
  readonly #hostPath: string;
  readonly #descriptor: number;
  #filled = 0;

  constructor(hostPath: string) {
    this.#hostPath = hostPath;
    this.#descriptor = openSync(fsPath(hostPath), "wx", 0o600);
  }

  write(bytes: Uint8Array): void {
    let done = 0;
    while (done < bytes.length) {
      done += writeSync(this.#descriptor, bytes, done, bytes.length - done, this.#filled + done);
    }
    this.#filled += bytes.length;
  }

  skip(length: number): void {
    this.#filled += length;
  }

  close(): EntryContent {
    ftruncateSync(this.#descriptor, this.#filled);
    closeSync(this.#descriptor);
    return { kind: "file", hostPath: this.#hostPath };
  }
}
