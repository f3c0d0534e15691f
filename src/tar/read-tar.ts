import type { TarHeader } from "./header.ts";
import { TarParser, type TarParserOptions } from "./parser.ts";
import type { TarSink } from "./sink.ts";

export interface TarEntry {
  readonly header: TarHeader;
  /** The file's bytes, to be read before the next entry is asked for; what is left unread is skipped. */
  readonly content: AsyncIterable<Uint8Array>;
}

/**
 * Entries of an archive with their content, one after the other, in bounded memory. Names are as written: clean
 * them with `cleanPath` before use.
 * @throws {TarError}
 */
export async function* readTar(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: TarParserOptions = {},
): AsyncGenerator<TarEntry> {
  const queue = new EventQueue();
  const parser = new TarParser(queue, options);
  const source = iterate(chunks);
  const pull = async (): Promise<boolean> => {
    const next = await source.next();
    if (next.done === true) parser.finish();
    else parser.write(next.value);
    return next.done !== true;
  };
  try {
    for (;;) {
      const event = queue.take();
      if (event === undefined) {
        if (!(await pull())) return;
      } else if (event.kind === "entry") {
        yield { header: event.header, content: contentOf(queue, pull) };
      }
      // Content that nobody read, and its end, fall through and are dropped.
    }
  } finally {
    await source.return?.(undefined);
  }
}

type TarEvent =
  | { readonly kind: "entry"; readonly header: TarHeader }
  | { readonly kind: "content"; readonly bytes: Uint8Array }
  | { readonly kind: "hole"; readonly length: number }
  | { readonly kind: "end" };

/** Holds what one chunk contained: at most a chunk's worth of events. */
class EventQueue implements TarSink {
  #events: TarEvent[] = [];
  #next = 0;

  entry(header: TarHeader): void {
    this.#events.push({ kind: "entry", header });
  }
  content(bytes: Uint8Array): void {
    this.#events.push({ kind: "content", bytes });
  }
  hole(length: number): void {
    this.#events.push({ kind: "hole", length });
  }
  end(): void {
    this.#events.push({ kind: "end" });
  }

  take(): TarEvent | undefined {
    const event = this.#events[this.#next++];
    if (event === undefined) {
      this.#events = [];
      this.#next = 0;
    }
    return event;
  }
}

async function* contentOf(queue: EventQueue, pull: () => Promise<boolean>): AsyncGenerator<Uint8Array> {
  for (;;) {
    const event = queue.take();
    if (event === undefined) {
      if (!(await pull())) return;
    } else if (event.kind === "content") {
      yield event.bytes;
    } else if (event.kind === "hole") {
      yield* zeros(event.length);
    } else {
      return;
    }
  }
}

const ZEROS = new Uint8Array(65536);

function* zeros(length: number): Generator<Uint8Array> {
  for (let rest = length; rest > 0; rest -= ZEROS.length) {
    yield rest >= ZEROS.length ? ZEROS : ZEROS.subarray(0, rest);
  }
}

function iterate<T>(source: AsyncIterable<T> | Iterable<T>): AsyncIterator<T> | Iterator<T> {
  return Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
}
