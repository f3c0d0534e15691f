import { setMaxListeners } from "node:events";

export interface PieceReaderOptions {
  /** First byte wanted. */
  readonly offset: number;
  /** End of the last piece. */
  readonly end: number;
  readonly pieceBytes: number;
  /** Pieces read at the same time. */
  readonly streams: number;
  /** Whoever reads is done with a chunk when it asks for the next: the memory of pieces is used again. */
  readonly transient?: boolean | undefined;
  /**
   * Opens the bytes from `first` up to but not including `end`; must give just these, or throw. Its chunks may be
   * transient, they are copied.
   */
  readonly open: (
    piece: { readonly first: number; readonly end: number },
    signal: AbortSignal,
  ) => Promise<AsyncIterable<Uint8Array>>;
  /** Called with a count of bytes when they have come, which may be before they are read. */
  readonly onArrival: (bytes: number) => void;
  readonly signal?: AbortSignal | undefined;
}

interface Piece {
  readonly first: number;
  readonly end: number;
  readonly memory: Uint8Array;
  /** Bytes of it that have come, and that have been handed out. */
  arrived: number;
  given: number;
  state: "running" | "whole" | "failed";
}

/**
 * Reads a blob piece by piece, several pieces at a time, and hands its bytes out in their order. What has come too early
 * is kept in memory: at most one piece for each stream, and one more. A reader that dies loses no more than that.
 */
export class PieceReader {
  readonly #options: PieceReaderOptions;
  readonly #abort = new AbortController();
  readonly #pieces: Piece[] = [];
  readonly #running = new Set<Promise<void>>();
  readonly #spare: Uint8Array[] = [];
  #streams: number;
  /** Begin of the next piece. */
  #next: number;
  #offset: number;
  #failure: { readonly error: unknown } | undefined;
  #wake: () => void = () => {};

  constructor(options: PieceReaderOptions) {
    this.#options = options;
    this.#streams = options.streams;
    this.#next = options.offset;
    this.#offset = options.offset;
  }

  /** First byte that has not been handed out. */
  get offset(): number {
    return this.#offset;
  }

  /** What kept a piece from coming. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure;
  }

  /** How many pieces are read at the same time from now on. 0: what is on its way is the last. */
  set streams(count: number) {
    this.#streams = count;
    this.#fill();
  }

  /** Ends at the end, behind the last piece that was begun, or before a piece that failed. Throws nothing. */
  async *bytes(): AsyncGenerator<Uint8Array, void, undefined> {
    const { signal } = this.#options;
    setMaxListeners(0, this.#abort.signal);
    const onAbort = (): void => this.#abort.abort(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
    try {
      this.#fill();
      for (;;) {
        const head = this.#pieces[0];
        if (head === undefined) return;
        if (head.given < head.arrived) {
          const chunk = head.memory.subarray(head.given, head.arrived);
          head.given = head.arrived;
          this.#offset += chunk.byteLength;
          yield chunk;
        } else if (head.state === "whole") {
          this.#pieces.shift();
          if (this.#options.transient === true) this.#spare.push(head.memory);
          this.#fill();
        } else if (head.state === "failed") {
          return;
        } else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
      }
    } finally {
      signal?.removeEventListener("abort", onAbort);
      this.#streams = 0;
      this.#abort.abort();
      await Promise.all(this.#running);
    }
  }

  #fill(): void {
    const { end, pieceBytes } = this.#options;
    while (
      this.#next < end &&
      this.#running.size < this.#streams &&
      this.#pieces.length <= this.#streams &&
      this.#failure === undefined
    ) {
      const first = this.#next;
      const memory = this.#spare.pop() ?? Buffer.allocUnsafeSlow(pieceBytes);
      const last = Math.min(end, first + pieceBytes);
      const piece: Piece = { first, end: last, memory, arrived: 0, given: 0, state: "running" };
      this.#next = piece.end;
      this.#pieces.push(piece);
      const run = this.#read(piece).finally(() => {
        this.#running.delete(run);
        this.#fill();
        this.#wake();
      });
      this.#running.add(run);
    }
  }

  async #read(piece: Piece): Promise<void> {
    const { open, onArrival } = this.#options;
    try {
      for await (const chunk of await open(piece, this.#abort.signal)) {
        piece.memory.set(chunk, piece.arrived);
        piece.arrived += chunk.byteLength;
        onArrival(chunk.byteLength);
        this.#wake();
      }
      piece.state = "whole";
    } catch (error) {
      piece.state = "failed";
      this.#failure ??= { error };
    }
  }
}
