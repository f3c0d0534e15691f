import { decodeHeader, hasValidChecksum, isZeroBlock, type RawHeader, readNumber } from "./decode-header.ts";
import { BLOCK_SIZE, paddingOf } from "./encode-header.ts";
import { TarError } from "./error.ts";
import type { TarEntryKind, TarHeader } from "./header.ts";
import { type MergedHeader, mergePax } from "./merge-pax.ts";
import { decodePaxRecords } from "./pax.ts";
import {
  checkSegments,
  parseSparseMap,
  readGnuSegments,
  SparseMapReader,
  type SparseSegment,
} from "./sparse.ts";

/** Takes what a parser finds, in the archive's order: for each entry one `entry`, its content, one `end`. */
export interface TarSink {
  entry(header: TarHeader): void;
  /** Bytes of the current file: a view into the chunk that was written, valid until its owner reuses it. */
  content(bytes: Uint8Array): void;
  /** That many zeros of the current file which a sparse archive does not store. */
  hole(length: number): void;
  end(): void;
}

export interface TarParserOptions {
  /**
   * Accepts an archive that ends after an entry without the two zero blocks, as Go's reader (and so Docker) and
   * GNU tar do. Default false: then it counts as truncated.
   */
  readonly allowMissingEnd?: boolean;
}

/** Names, xattrs and their keys of one entry together. Linux allows 64 KiB for each attribute, 4 KiB for a path. */
const MAX_EXTENDED_BYTES = 1024 * 1024;

type State =
  | { readonly kind: "header" }
  | { readonly kind: "extended"; readonly type: string; readonly body: Buffer; filled: number }
  | {
      readonly kind: "gnu-extension";
      readonly header: MergedHeader;
      readonly segments: SparseSegment[];
      readonly realSize: number;
    }
  | {
      readonly kind: "sparse-map";
      readonly header: MergedHeader;
      readonly reader: SparseMapReader;
      readonly realSize: number;
      stored: number;
    }
  | { readonly kind: "content"; remaining: number; readonly padding: number }
  | { readonly kind: "skip"; remaining: number }
  | { readonly kind: "ended" };

/**
 * Reads an archive from chunks of any size: v7, ustar, star, PAX, GNU with long names, base-256 numbers and all forms
 * of sparse files. Works synchronously, holds at most one block and one extended header. Call `write` for each chunk,
 * then `finish`.
 */
export class TarParser {
  readonly #sink: TarSink;
  readonly #allowMissingEnd: boolean;
  readonly #block: Buffer = Buffer.alloc(BLOCK_SIZE);
  #filled = 0;
  #state: State = { kind: "header" };
  #hasHeader = false;
  #zeroBlocks = 0;
  #global: ReadonlyMap<string, string> = new Map();
  #local: ReadonlyMap<string, string> | undefined;
  #longName: string | undefined;
  #longLink: string | undefined;
  #sparse: SparseCursor | undefined;

  constructor(sink: TarSink, options: TarParserOptions = {}) {
    this.#sink = sink;
    this.#allowMissingEnd = options.allowMissingEnd ?? false;
  }

  /** @throws {TarError} any code but PATH_ESCAPES and COMPRESSION_INVALID; the parser is of no use afterwards */
  write(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      const state = this.#state;
      switch (state.kind) {
        case "header":
        case "gnu-extension":
        case "sparse-map": {
          const missing = BLOCK_SIZE - this.#filled;
          const taken = Math.min(missing, chunk.length - at);
          if (taken === BLOCK_SIZE) {
            const block = Buffer.from(chunk.buffer, chunk.byteOffset + at, BLOCK_SIZE);
            at += taken;
            this.#takeBlock(state, block);
          } else {
            this.#block.set(chunk.subarray(at, at + taken), this.#filled);
            this.#filled += taken;
            at += taken;
            if (taken === missing) {
              this.#filled = 0;
              this.#takeBlock(state, this.#block);
            }
          }
          break;
        }
        case "extended": {
          const taken = Math.min(state.body.length - state.filled, chunk.length - at);
          state.body.set(chunk.subarray(at, at + taken), state.filled);
          state.filled += taken;
          at += taken;
          if (state.filled === state.body.length) this.#takeExtended(state.type, state.body);
          break;
        }
        case "content": {
          const taken = Math.min(state.remaining, chunk.length - at);
          this.#emit(chunk.subarray(at, at + taken));
          state.remaining -= taken;
          at += taken;
          if (state.remaining === 0) this.#endEntry(state.padding);
          break;
        }
        case "skip": {
          const taken = Math.min(state.remaining, chunk.length - at);
          state.remaining -= taken;
          at += taken;
          if (state.remaining === 0) this.#state = HEADER;
          break;
        }
        case "ended":
          return;
        default:
          state satisfies never;
      }
    }
  }

  /** Says that there are no more bytes. @throws {TarError} TRUNCATED */
  finish(): void {
    if (this.#state.kind === "ended") return;
    const isBetween =
      this.#state.kind === "header" &&
      this.#filled === 0 &&
      this.#local === undefined &&
      this.#longName === undefined &&
      this.#longLink === undefined;
    if (isBetween && (this.#allowMissingEnd || this.#zeroBlocks > 0)) return;
    throw new TarError("TRUNCATED", "Cannot read archive: unexpected EOF", {
      hint: "The archive is shorter than its headers say: it may have been cut off on the way",
    });
  }

  #takeBlock(state: State, block: Buffer): void {
    switch (state.kind) {
      case "header":
        this.#takeHeader(block);
        return;
      case "gnu-extension": {
        const { segments, more } = readGnuSegments(block, "extension");
        state.segments.push(...segments);
        if (state.segments.length > MAX_EXTENDED_BYTES) throw tooLarge();
        if (!more) this.#beginSparse(state.header, state.segments, state.realSize, state.header.size);
        return;
      }
      case "sparse-map": {
        state.stored -= BLOCK_SIZE;
        if (state.stored < 0) {
          throw new TarError("HEADER_INVALID", "Cannot read archive: map of a sparse file is malformed");
        }
        const segments = state.reader.push(block);
        if (segments !== undefined) this.#beginSparse(state.header, segments, state.realSize, state.stored);
        return;
      }
      default:
        throw new TypeError(`No block is wanted in state ${state.kind}`);
    }
  }

  #takeHeader(block: Buffer): void {
    if (isZeroBlock(block)) {
      this.#zeroBlocks++;
      if (this.#zeroBlocks === 2) this.#state = { kind: "ended" };
      return;
    }
    if (!hasValidChecksum(block)) {
      if (!this.#hasHeader && this.#zeroBlocks === 0) {
        throw new TarError("NOT_A_TAR", "Cannot read archive: this is no tar");
      }
      throw new TarError("HEADER_INVALID", "Cannot read archive: header with a wrong checksum");
    }
    if (this.#zeroBlocks > 0) {
      throw new TarError("HEADER_INVALID", "Cannot read archive: header after its end marker");
    }
    this.#hasHeader = true;
    const raw = decodeHeader(block);
    if (raw.size < 0)
      throw new TarError("HEADER_INVALID", `Cannot read archive: header has size ${raw.size}`);
    switch (raw.type) {
      case "x":
      case "X":
      case "g":
      case "L":
      case "K":
        this.#beginExtended(raw);
        return;
      case "V":
        // A GNU volume label: a name without a file.
        this.#skip(raw.size + paddingOf(raw.size));
        return;
      default:
        this.#beginEntry(raw, block);
    }
  }

  #beginExtended(raw: RawHeader): void {
    if (raw.size > MAX_EXTENDED_BYTES) throw tooLarge();
    const length = raw.size + paddingOf(raw.size);
    if (length === 0) {
      this.#takeExtended(raw.type, Buffer.alloc(0));
      return;
    }
    // The padding is collected with the body, and is all zeros to whoever reads it.
    const body = Buffer.alloc(length);
    this.#state = { kind: "extended", type: raw.type, body, filled: 0 };
    this.#extendedSize = raw.size;
  }

  #extendedSize = 0;

  #takeExtended(type: string, padded: Buffer): void {
    const body = padded.subarray(0, this.#extendedSize);
    this.#extendedSize = 0;
    this.#state = HEADER;
    switch (type) {
      case "g":
        this.#global = new Map([...this.#global, ...decodePaxRecords(body)]);
        return;
      case "L":
        this.#longName = untilNul(body);
        return;
      case "K":
        this.#longLink = untilNul(body);
        return;
      default:
        this.#local = decodePaxRecords(body);
    }
  }

  #beginEntry(raw: RawHeader, block: Buffer): void {
    const records =
      this.#global.size === 0 ? this.#local : new Map([...this.#global, ...(this.#local ?? [])]);
    let header = records === undefined ? (raw as MergedHeader) : mergePax(raw, records);
    if (this.#longName !== undefined) header = { ...header, name: this.#longName };
    if (this.#longLink !== undefined) header = { ...header, link: this.#longLink };
    this.#local = undefined;
    this.#longName = undefined;
    this.#longLink = undefined;
    if (header.size < 0)
      throw new TarError("HEADER_INVALID", `Cannot read archive: header has size ${header.size}`);

    if (raw.type === "S") {
      const realSize = readNumber(block, 483, 12);
      const { segments, more } = readGnuSegments(block, "header");
      if (more) this.#state = { kind: "gnu-extension", header, segments: [...segments], realSize };
      else this.#beginSparse(header, segments, realSize, header.size);
      return;
    }
    if (records !== undefined && this.#beginPaxSparse(header, records)) return;
    this.#begin(header, header.size, header.size);
  }

  /** GNU.sparse.* records; false when there are none. */
  #beginPaxSparse(header: MergedHeader, records: ReadonlyMap<string, string>): boolean {
    const sizeText = records.get("GNU.sparse.realsize") ?? records.get("GNU.sparse.size");
    if (sizeText === undefined) return false;
    const realSize = Number(sizeText);
    if (!/^[0-9]+$/.test(sizeText) || !Number.isSafeInteger(realSize)) {
      throw new TarError("HEADER_INVALID", "Cannot read archive: size of a sparse file is malformed");
    }
    const named = { ...header, name: records.get("GNU.sparse.name") || header.name };
    const map = records.get("GNU.sparse.map");
    if (map !== undefined) {
      this.#beginSparse(named, parseSparseMap(map), realSize, header.size);
    } else if (records.get("GNU.sparse.major") === "1" && records.get("GNU.sparse.minor") === "0") {
      this.#state = {
        kind: "sparse-map",
        header: named,
        reader: new SparseMapReader(),
        realSize,
        stored: header.size,
      };
    } else {
      throw new TarError("UNSUPPORTED", "Cannot read archive: sparse file in an unknown format");
    }
    return true;
  }

  #beginSparse(
    header: MergedHeader,
    segments: readonly SparseSegment[],
    realSize: number,
    stored: number,
  ): void {
    checkSegments(segments, realSize, stored);
    this.#sparse = new SparseCursor(segments, realSize, this.#sink);
    this.#begin({ ...header, type: "0" }, realSize, stored);
  }

  #begin(header: MergedHeader, size: number, stored: number): void {
    const kind = kindOf(header);
    const hasContent = kind === "file";
    // The size of a link, folder or device says nothing about what follows; only a GNU dump folder has a body.
    const follows = hasContent || header.type === "D" ? stored : 0;
    const { type: _, name, ...rest } = header;
    this.#sink.entry({ ...rest, kind, name, mode: header.mode & 0o7777, size: hasContent ? size : 0 });
    if (!hasContent) {
      this.#sink.end();
      this.#skip(follows + paddingOf(follows));
    } else if (follows === 0) {
      this.#endEntry(0);
    } else {
      this.#state = { kind: "content", remaining: follows, padding: paddingOf(follows) };
    }
  }

  #emit(bytes: Uint8Array): void {
    if (this.#sparse === undefined) this.#sink.content(bytes);
    else this.#sparse.push(bytes);
  }

  #endEntry(padding: number): void {
    this.#sparse?.finish();
    this.#sparse = undefined;
    this.#sink.end();
    this.#skip(padding);
  }

  #skip(count: number): void {
    this.#state = count === 0 ? HEADER : { kind: "skip", remaining: count };
  }
}

const HEADER: State = { kind: "header" };

/** Lays the stored bytes of a sparse file out among its holes. */
class SparseCursor {
  readonly #segments: readonly SparseSegment[];
  readonly #size: number;
  readonly #sink: TarSink;
  #index = 0;
  #within = 0;
  #at = 0;

  constructor(segments: readonly SparseSegment[], size: number, sink: TarSink) {
    this.#segments = segments.filter((segment) => segment.length > 0);
    this.#size = size;
    this.#sink = sink;
  }

  push(bytes: Uint8Array): void {
    let from = 0;
    while (from < bytes.length) {
      const segment = this.#segments[this.#index];
      if (segment === undefined) throw new TypeError("A sparse file has more bytes than its map");
      if (this.#within === 0) this.#advance(segment.offset);
      const taken = Math.min(segment.length - this.#within, bytes.length - from);
      this.#sink.content(bytes.subarray(from, from + taken));
      from += taken;
      this.#at += taken;
      this.#within += taken;
      if (this.#within === segment.length) {
        this.#within = 0;
        this.#index++;
      }
    }
  }

  finish(): void {
    this.#advance(this.#size);
  }

  #advance(to: number): void {
    if (to > this.#at) this.#sink.hole(to - this.#at);
    this.#at = Math.max(to, this.#at);
  }
}

function kindOf(header: MergedHeader): TarEntryKind {
  switch (header.type) {
    case "0":
    case "\0":
    case "7":
      return header.name.endsWith("/") ? "dir" : "file";
    case "1":
      return "hardlink";
    case "2":
      return "symlink";
    case "3":
      return "char";
    case "4":
      return "block";
    case "5":
    case "D":
      return "dir";
    case "6":
      return "fifo";
    default:
      throw new TarError(
        "UNSUPPORTED",
        `Cannot read archive: entry of unknown type ${JSON.stringify(header.type)}`,
      );
  }
}

function untilNul(body: Buffer): string {
  const nul = body.indexOf(0);
  return body.toString("latin1", 0, nul < 0 ? body.length : nul);
}

function tooLarge(): TarError {
  return new TarError(
    "HEADER_TOO_LARGE",
    `Cannot read archive: extended header is larger than ${MAX_EXTENDED_BYTES} bytes`,
  );
}
