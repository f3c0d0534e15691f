import { type FileHandle, open } from "node:fs/promises";
import { posix } from "node:path";
import { TarError } from "../../tar/error.ts";
import type { TarHeader } from "../../tar/header.ts";
import { TarParser } from "../../tar/parser.ts";
import { cleanPath } from "../../tar/path-rules.ts";
import type { TarSink } from "../../tar/sink.ts";
import { TransportError } from "./error.ts";
import type { FileSet, OpenFileOptions } from "./file-set.ts";
import { tooLarge, unreadable } from "./folder-files.ts";

/** Entries of one archive. An image of 500 layers has about 2,000. */
const MAX_ENTRIES = 100_000;
/** Links that point at links. */
const MAX_LINK_DEPTH = 8;
/** Read at once while looking for headers: content past it is jumped over. */
const WINDOW_BYTES = 64 * 1024;
/** Read at once of a file's content. */
const CHUNK_BYTES = 1024 * 1024;

type Entry =
  | { readonly kind: "file"; readonly offset: number; readonly size: number }
  | { readonly kind: "link"; readonly target: string }
  /** A sparse file, a device: nothing that an image is made of. */
  | { readonly kind: "other" };

/**
 * The files of a plain tar, found once and then read where they lie. Links are followed inside the archive only; two
 * files of one name are refused, because two programs could read two different images out of that.
 */
export class TarFiles implements FileSet, AsyncDisposable {
  readonly shown: string;
  readonly #handle: FileHandle;
  readonly #entries: ReadonlyMap<string, Entry>;

  private constructor(shown: string, handle: FileHandle, entries: ReadonlyMap<string, Entry>) {
    this.shown = shown;
    this.#handle = handle;
    this.#entries = entries;
  }

  /** @throws {TransportError} ARCHIVE_NOT_FOUND, ARCHIVE_INVALID */
  static async open(
    path: string,
    { shown = path, signal }: { readonly shown?: string; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<TarFiles> {
    let handle: FileHandle;
    try {
      handle = await open(path, "r");
    } catch (error) {
      throw unreadable(shown, error);
    }
    try {
      return new TarFiles(shown, handle, await scan(handle, shown, signal));
    } catch (error) {
      await handle.close();
      signal?.throwIfAborted();
      if (!(error instanceof TarError)) throw unreadable(shown, error);
      const { message } = error;
      throw new TransportError(
        "ARCHIVE_INVALID",
        `Cannot read "${shown}": ${message.replace(/^Cannot read archive: /, "")}`,
        { cause: error },
      );
    }
  }

  async sizeOf(name: string): Promise<number | undefined> {
    return this.#find(name)?.size;
  }

  async read(name: string, maxBytes: number): Promise<Uint8Array | undefined> {
    const found = this.#find(name);
    if (found === undefined) return undefined;
    if (found.size > maxBytes) throw tooLarge(this.shown, name, maxBytes);
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.open(name)) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  async *open(
    name: string,
    { offset = 0, transient = false, signal }: OpenFileOptions = {},
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const found = this.#find(name);
    if (found === undefined) {
      throw new TransportError("ARCHIVE_INVALID", `Cannot read "${this.shown}": it has no file "${name}"`);
    }
    const end = found.offset + found.size;
    let memory: Buffer | undefined;
    for (let at = found.offset + offset; at < end; ) {
      signal?.throwIfAborted();
      const length = Math.min(CHUNK_BYTES, end - at);
      if (!transient) memory = undefined;
      const buffer = memory ?? Buffer.allocUnsafeSlow(length);
      memory = buffer;
      const { bytesRead } = await this.#handle.read(buffer, 0, length, at);
      if (bytesRead === 0) {
        throw new TransportError("ARCHIVE_INVALID", `Cannot read "${this.shown}": it was cut short`);
      }
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }

  /** Follows links; undefined when there is no file, or when a link leads out or round in circles. */
  #find(name: string): { readonly offset: number; readonly size: number } | undefined {
    let at = name;
    for (let depth = 0; depth <= MAX_LINK_DEPTH; depth++) {
      const entry = this.#entries.get(at);
      if (entry === undefined || entry.kind === "other") return undefined;
      if (entry.kind === "file") return entry;
      at = entry.target;
    }
    return undefined;
  }
}

async function scan(
  handle: FileHandle,
  shown: string,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, Entry>> {
  const scanner = new Scanner(shown);
  // Archives that lack the end marker are whole as long as their last file is: Docker reads them too.
  const parser = new TarParser(scanner, { allowMissingEnd: true });
  const { size } = await handle.stat();
  const window = Buffer.allocUnsafe(WINDOW_BYTES);
  let at = 0;
  while (at < size) {
    signal?.throwIfAborted();
    const { bytesRead } = await handle.read(window, 0, WINDOW_BYTES, at);
    if (bytesRead === 0) break;
    scanner.begin(window, at);
    parser.write(window.subarray(0, bytesRead));
    at += bytesRead + scanner.skip(parser.skipContent(), at + bytesRead);
  }
  if (at > size) throw new TransportError("ARCHIVE_INVALID", `Cannot read "${shown}": it was cut short`);
  parser.finish();
  return scanner.entries;
}

/** Notes where the content of each file lies. */
class Scanner implements TarSink {
  readonly entries = new Map<string, Entry>();
  readonly #shown: string;
  #window: Buffer = Buffer.alloc(0);
  #base = 0;
  #header: TarHeader | undefined;
  #offset: number | undefined;
  #isSparse = false;
  /** A file that has ended, but where it begins is not known yet. */
  #ended: TarHeader | undefined;

  constructor(shown: string) {
    this.#shown = shown;
  }

  /** The next chunk lies in `window`, which holds the archive from `base` on. */
  begin(window: Buffer, base: number): void {
    this.#window = window;
    this.#base = base;
  }

  entry(header: TarHeader): void {
    this.#header = header;
    this.#offset = undefined;
    this.#isSparse = false;
  }

  content(bytes: Uint8Array): void {
    this.#offset ??= this.#base + bytes.byteOffset - this.#window.byteOffset;
  }

  hole(): void {
    this.#isSparse = true;
  }

  /** `count` bytes at `at` are jumped over: the content of the last file, or what is left of it. Returns `count`. */
  skip(count: number, at: number): number {
    if (count > 0 && this.#ended !== undefined) {
      this.#note(this.#ended, this.#offset ?? at);
      this.#ended = undefined;
    }
    return count;
  }

  end(): void {
    const header = this.#header;
    this.#header = undefined;
    if (header === undefined) return;
    // The end of a file whose content begins behind this window comes with the jump, which knows where it begins.
    if (header.kind === "file" && header.size > 0 && this.#offset === undefined && !this.#isSparse) {
      this.#ended = header;
      return;
    }
    this.#note(header, this.#offset ?? 0);
  }

  #note(header: TarHeader, offset: number): void {
    const name = cleanPath(header.name);
    if (header.kind === "dir") return;
    if (this.entries.has(name)) {
      throw new TransportError(
        "ARCHIVE_INVALID",
        `Cannot read "${this.#shown}": it has two files named ${JSON.stringify(name.slice(0, 200))}`,
      );
    }
    if (this.entries.size >= MAX_ENTRIES) {
      throw new TransportError(
        "ARCHIVE_INVALID",
        `Cannot read "${this.#shown}": it has more than ${MAX_ENTRIES} files`,
      );
    }
    this.entries.set(name, this.#entryOf(header, name, offset));
  }

  #entryOf(header: TarHeader, name: string, offset: number): Entry {
    switch (header.kind) {
      case "file":
        return this.#isSparse ? { kind: "other" } : { kind: "file", offset, size: header.size };
      case "hardlink":
        return linkTo(header.link);
      case "symlink":
        return header.link.startsWith("/")
          ? { kind: "other" }
          : linkTo(`${posix.dirname(name)}/${header.link}`);
      default:
        return { kind: "other" };
    }
  }
}

/** A link that leads out of the archive leads nowhere. */
function linkTo(target: string): Entry {
  try {
    return { kind: "link", target: cleanPath(target) };
  } catch {
    return { kind: "other" };
  }
}
