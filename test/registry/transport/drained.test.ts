import { once } from "node:events";
import { Writable } from "node:stream";
import { expect, test } from "vitest";
import { drained } from "../../../src/registry/transport/drained.ts";

const KIB = 1024;

/** A stream that takes what is written when it is told to. */
function slowStream() {
  const taken: (() => void)[] = [];
  const stream = new Writable({
    highWaterMark: 1,
    write: (_chunk, _encoding, callback) => void taken.push(callback),
  });
  stream.on("error", () => undefined);
  stream.write(Buffer.alloc(KIB));
  return { stream, take: () => taken.shift()?.() };
}

test("goes on when what was written has been taken", async () => {
  const { stream, take } = slowStream();
  const waiting = drained(stream, KIB, 60_000);
  take();
  await waiting;
  expect(stream.destroyed).toBe(false);
  expect(stream.listenerCount("drain") + stream.listenerCount("close")).toBe(0);
});

test("ends a stream that takes too little, and goes on then", async () => {
  const { stream } = slowStream();
  const failed = once(stream, "error").catch((error: unknown) => [error]);
  await drained(stream, 60 * KIB, 20);
  expect(await failed).toEqual([
    expect.objectContaining({ fault: "timeout", message: "the server took less than 61440 bytes in 0 s" }),
  ]);
});

test("more that was written may take longer", async () => {
  const { stream, take } = slowStream();
  const waiting = drained(stream, 600_000 * KIB, 100);
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(stream.destroyed).toBe(false);
  take();
  await waiting;
});
