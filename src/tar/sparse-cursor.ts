import type { TarSink } from "./sink.ts";
import type { SparseSegment } from "./sparse.ts";

/** Lays the stored bytes of a sparse file out among its holes. */
export class SparseCursor {
  readonly #segments: readonly SparseSegment[];
  readonly #size: number;
  readonly #sink: Pick<TarSink, "content" | "hole">;
  #index = 0;
  #within = 0;
  #at = 0;

  constructor(segments: readonly SparseSegment[], size: number, sink: Pick<TarSink, "content" | "hole">) {
    this.#segments = segments.filter((segment) => segment.length > 0);
    this.#size = size;
    this.#sink = sink;
  }

  /** Takes the next stored bytes. */
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

  /** Adds the hole at the end. */
  finish(): void {
    this.#advance(this.#size);
  }

  #advance(to: number): void {
    if (to > this.#at) this.#sink.hole(to - this.#at);
    this.#at = Math.max(to, this.#at);
  }
}
