import { expect, test } from "vitest";
import { FlowMeter } from "../../../src/registry/blobs/flow-meter.ts";
import { ManualClock } from "../../support/registry-clock.ts";

/** So many pieces of so many bytes, each after a wait of so long. */
async function* drip(
  clock: ManualClock,
  { bytes, everyMs, pieces = 100_000 }: { bytes: number; everyMs: number; pieces?: number },
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let i = 0; i < pieces; i++) {
    await clock.advance(everyMs);
    yield new Uint8Array(bytes);
  }
}

async function readAll(bytes: AsyncIterable<Uint8Array>, onChunk?: () => Promise<void>): Promise<number> {
  let count = 0;
  for await (const chunk of bytes) {
    count += chunk.byteLength;
    await onChunk?.();
  }
  return count;
}

test("a byte a second is given up after a minute", async () => {
  const clock = new ManualClock();
  const startMs = clock.nowMs();
  const reading = readAll(new FlowMeter(clock).watch(drip(clock, { bytes: 1, everyMs: 1000 })));
  await expect(reading).rejects.toMatchObject({ fault: "timeout", message: "only 60 bytes came in 60 s" });
  expect(clock.nowMs() - startMs).toBe(60_000);
});

test("what slows down only later is given up too, in its own minute", async () => {
  const clock = new ManualClock();
  async function* bytes(): AsyncGenerator<Uint8Array, void, undefined> {
    yield* drip(clock, { bytes: 1_000_000, everyMs: 1000, pieces: 60 });
    yield* drip(clock, { bytes: 1, everyMs: 1000 });
  }
  const reading = readAll(new FlowMeter(clock).watch(bytes()));
  await expect(reading).rejects.toMatchObject({ fault: "timeout", message: "only 60 bytes came in 60 s" });
});

test("slow is not too slow: a kibibyte a second is read to the end", async () => {
  const clock = new ManualClock();
  const bytes = drip(clock, { bytes: 1024, everyMs: 1000, pieces: 300 });
  expect(await readAll(new FlowMeter(clock).watch(bytes))).toBe(300 * 1024);
});

test("a reader that takes its time is not held against the server", async () => {
  const clock = new ManualClock();
  const bytes = drip(clock, { bytes: 1, everyMs: 10, pieces: 100 });
  expect(await readAll(new FlowMeter(clock).watch(bytes), () => clock.advance(30_000))).toBe(100);
});
