import { decodeHeader, hasValidChecksum, isZeroBlock, type RawHeader, readNumber } from "./decode-header.ts";
import { BLOCK_SIZE, paddingOf } from "./encode-header.ts";
import { TarError } from "./error.ts";
import { ExtendedHeaders, extendedTooLarge, isExtendedType, MAX_EXTENDED_BYTES } from "./extended-headers.ts";
import { entryKind } from "./header.ts";
import { type MergedHeader, toTarHeader } from "./merge-pax.ts";
import type { TarSink } from "./sink.ts";
import { checkSegments, readGnuSegments, SparseMapReader, type SparseSegment } from "./sparse.ts";
import { SparseCursor } from "./sparse-cursor.ts";
import { readSparseRecords } from "./sparse-records.ts";

export interface TarParserOptions {
  /**
   * Accepts an archive that ends after an entry without the two zero blocks, as Go's reader (and so Docker) and
   * GNU tar do. Default false: then it counts as truncated.
   */
  readonly allowMissingEnd?: boolean;
}

type State =
  | { readonly kind: "header" }
  | {
      readonly kind: "extended";
      readonly type: string;
      readonly size: number;
      /** Padding included. */
      readonly body: Buffer;
      filled: number;
    }
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
  readonly #extended = new ExtendedHeaders();
  #sparse: SparseCursor | undefined;

  constructor(sink: TarSink, options: TarParserOptions = {}) {
    this.#sink = sink;
    this.#allowMissingEnd = options.allowMissingEnd ?? false;
  }

  /** @throws {TarError} any code but PATH_ESCAPES; the parser is of no use afterwards */
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
          if (state.filled === state.body.length) {
            this.#takeExtended(state.type, state.body.subarray(0, state.size));
          }
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

  /**
   * Between two calls of `write`, for a reader that can seek: how many bytes come next that are content of the current
   * file. They count as written from here on, so that they need not be read. 0 where nothing can be left out.
   */
  skipContent(): number {
    const state = this.#state;
    if (state.kind !== "content" || this.#sparse !== undefined) return 0;
    this.#endEntry(state.padding);
    return state.remaining;
  }

  /** The end marker was there: whatever may follow is ignored. */
  get hasEnded(): boolean {
    return this.#state.kind === "ended";
  }

  /** Says that there are no more bytes. @throws {TarError} TRUNCATED */
  finish(): void {
    if (this.#state.kind === "ended") return;
    const isBetween = this.#state.kind === "header" && this.#filled === 0 && !this.#extended.isPending;
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
        if (state.segments.length > MAX_EXTENDED_BYTES) throw extendedTooLarge();
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
      throw new TarError("HEADER_INVALID", "Cannot read archive: invalid tar header, its checksum is wrong");
    }
    if (this.#zeroBlocks > 0) {
      throw new TarError("HEADER_INVALID", "Cannot read archive: header after its end marker");
    }
    this.#hasHeader = true;
    const raw = decodeHeader(block);
    if (raw.size < 0)
      throw new TarError("HEADER_INVALID", `Cannot read archive: header has size ${raw.size}`);
    if (isExtendedType(raw.type)) this.#beginExtended(raw);
    else if (raw.type === VOLUME_LABEL) this.#skip(raw.size + paddingOf(raw.size));
    else this.#beginEntry(raw, block);
  }

  #beginExtended(raw: RawHeader): void {
    if (raw.size > MAX_EXTENDED_BYTES) throw extendedTooLarge();
    const length = raw.size + paddingOf(raw.size);
    if (length === 0) {
      this.#takeExtended(raw.type, Buffer.alloc(0));
    } else {
      const body = Buffer.allocUnsafe(length);
      this.#state = { kind: "extended", type: raw.type, size: raw.size, body, filled: 0 };
    }
  }

  #takeExtended(type: string, body: Buffer): void {
    this.#state = HEADER;
    this.#extended.take(type, body);
  }

  #beginEntry(raw: RawHeader, block: Buffer): void {
    const { header, records } = this.#extended.applyTo(raw);
    if (header.size < 0)
      throw new TarError("HEADER_INVALID", `Cannot read archive: header has size ${header.size}`);

    if (raw.type === "S") {
      const realSize = readNumber(block, 483, 12);
      const { segments, more } = readGnuSegments(block, "header");
      if (more) this.#state = { kind: "gnu-extension", header, segments: [...segments], realSize };
      else this.#beginSparse(header, segments, realSize, header.size);
      return;
    }
    if (this.#beginPaxSparse(header, records)) return;
    this.#begin(header, header.size, header.size);
  }

  /** GNU.sparse.* records; false when there are none. */
  #beginPaxSparse(header: MergedHeader, records: ReadonlyMap<string, string>): boolean {
    const sparse = readSparseRecords(records);
    if (sparse === undefined) return false;
    const { realSize, segments } = sparse;
    const named = { ...header, name: sparse.name ?? header.name };
    if (segments !== undefined) this.#beginSparse(named, segments, realSize, header.size);
    else {
      const reader = new SparseMapReader();
      this.#state = { kind: "sparse-map", header: named, reader, realSize, stored: header.size };
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
    const kind = entryKind(header.type, header.name);
    const hasContent = kind === "file";
    // The size of a link, folder or device says nothing about what follows; only a GNU dump folder has a body.
    const follows = hasContent || header.type === "D" ? stored : 0;
    this.#sink.entry(toTarHeader(header, kind, hasContent ? size : 0));
    if (!hasContent) {
      this.#sparse = undefined;
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
/** A name without a file, at the start of GNU archives. */
const VOLUME_LABEL = "V";
