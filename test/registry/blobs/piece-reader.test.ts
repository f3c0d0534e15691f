import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PieceReader } from "../../../src/registry/blobs/piece-reader.ts";

const CONTENT = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);

interface Opened {
  readonly first: number;
  readonly end: number;
}

/** A reader of CONTENT; `before` is awaited before each chunk and may throw. */
function setUp({
  offset = 0,
  streams = 3,
  pieceBytes = 100,
  chunkBytes = 30,
  before = async (_at: number, _signal: AbortSignal): Promise<void> => {},
  transient = false,
  signal = undefined as AbortSignal | undefined,
} = {}): { reader: PieceReader; opened: Opened[]; most: () => number; arrived: () => number } {
  const opened: Opened[] = [];
  let now = 0;
  let most = 0;
  let arrived = 0;
  const reader = new PieceReader({
    offset,
    end: CONTENT.byteLength,
    pieceBytes,
    streams,
    transient,
    signal,
    onArrival: (bytes) => {
      arrived += bytes;
    },
    open: async (piece, inner) => {
      opened.push(piece);
      most = Math.max(most, ++now);
      return (async function* () {
        try {
          for (let at = piece.first; at < piece.end; at += chunkBytes) {
            await before(at, inner);
            const chunk = CONTENT.slice(at, Math.min(piece.end, at + chunkBytes));
            yield chunk;
            chunk.fill(255);
          }
        } finally {
          now--;
        }
      })();
    },
  });
  return { reader, opened, most: () => most, arrived: () => arrived };
}

async function readAll(reader: PieceReader): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of reader.bytes()) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};

describe("PieceReader", () => {
  test("gives the bytes in their order, however the pieces come", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          offset: fc.integer({ min: 0, max: 999 }),
          streams: fc.integer({ min: 1, max: 5 }),
          pieceBytes: fc.integer({ min: 20, max: 400 }),
          chunkBytes: fc.integer({ min: 10, max: 200 }),
          transient: fc.boolean(),
          delays: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 20 }),
        }),
        async ({ delays, ...options }) => {
          let turn = 0;
          const before = (): Promise<void> => turns(delays[turn++ % delays.length] as number);
          const { reader, most, arrived } = setUp({ ...options, before });
          const bytes = await readAll(reader);
          expect(Buffer.compare(bytes, CONTENT.subarray(options.offset))).toBe(0);
          expect(most()).toBeLessThanOrEqual(options.streams);
          expect(arrived()).toBe(CONTENT.byteLength - options.offset);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("runs no further ahead of its reader than one piece for each stream and one more", async () => {
    const { reader, arrived } = setUp({ streams: 3 });
    const bytes = reader.bytes();
    await bytes.next();
    await turns(50);
    expect(arrived()).toBe(400);
    await bytes.return();
  });

  test("with a piece that fails ends before it, having given what came before", async () => {
    const fault = new Error("gone");
    const { reader, opened } = setUp({
      before: async (at) => {
        if (at >= 260) throw fault;
      },
    });
    const bytes = await readAll(reader);
    expect(bytes.byteLength).toBe(260);
    expect(reader.offset).toBe(260);
    expect(reader.failure?.error).toBe(fault);
    expect(opened.length).toBeLessThanOrEqual(4);
  });

  test("told to use none ends behind what was on its way", async () => {
    const { reader, opened } = setUp({ streams: 2 });
    const chunks: Uint8Array[] = [];
    for await (const chunk of reader.bytes()) {
      chunks.push(chunk);
      reader.streams = 0;
    }
    const last = Math.max(...opened.map(({ end }) => end));
    expect(last).toBeLessThan(CONTENT.byteLength);
    expect(reader.offset).toBe(last);
    expect(Buffer.compare(Buffer.concat(chunks), CONTENT.subarray(0, last))).toBe(0);
  });

  test("told to use more opens more", async () => {
    const { reader, most } = setUp({ streams: 1, before: () => turns(2) });
    for await (const _ of reader.bytes()) reader.streams = 4;
    expect(most()).toBe(4);
  });

  test.each(["left", "aborted"])("when it is %s stops all pieces and waits for them", async (how) => {
    const controller = new AbortController();
    let stopped = 0;
    const { reader, most } = setUp({
      signal: controller.signal,
      before: (at, signal) =>
        at < 30
          ? Promise.resolve()
          : new Promise((_, reject) =>
              signal.addEventListener("abort", () => {
                stopped++;
                reject(signal.reason);
              }),
            ),
    });
    const bytes = reader.bytes();
    await bytes.next();
    await turns(3);
    if (how === "left") {
      await bytes.return();
    } else {
      const end = bytes.next();
      controller.abort(new Error("enough"));
      expect((await end).done).toBe(true);
    }
    expect(most()).toBe(3);
    expect(stopped).toBe(3);
  });
});
