import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ReadBytes } from "../../../src/util/decompress/byte-source.ts";
import { decodeBzip2 } from "../../../src/util/decompress/bzip2.ts";
import { decodeZstd } from "../../../src/util/decompress/zstd.ts";

/** Reads from memory, at most `step` bytes at a time. */
function reader(data: Buffer, step = Number.POSITIVE_INFINITY): ReadBytes {
  let at = 0;
  return (into) => {
    const count = Math.min(into.length, step, data.length - at);
    into.set(data.subarray(at, at + count));
    at += count;
    return count;
  };
}

function run(program: string, args: readonly string[], input: Buffer): Buffer | undefined {
  const { error, stdout, status } = spawnSync(program, args, { input, maxBuffer: 1 << 29 });
  if (error !== undefined) return undefined;
  expect(status).toBe(0);
  return stdout;
}

const DECODERS = {
  bzip2: { decode: decodeBzip2, options: [["-1"], ["-9"]] },
  zstd: {
    decode: decodeZstd,
    options: [["-1"], ["-6"], ["-19"], ["--fast=9", "--no-check"], ["--long=24"]],
  },
} as const;

function decodeAll(format: keyof typeof DECODERS, data: Buffer, step?: number): Buffer {
  return Buffer.concat([...DECODERS[format].decode(reader(data, step))]);
}

/** Bytes of many kinds: text, runs, noise, code, and long-range repeats. */
function samples(): readonly (readonly [string, Buffer])[] {
  const noise = randomBytes(200_000);
  const words = Buffer.from(Array.from({ length: 30_000 }, (_, i) => `word${(i * i * 31) % 977} `).join(""));
  return [
    ["nothing", Buffer.alloc(0)],
    ["a byte", Buffer.from("x")],
    ["zeros", Buffer.alloc(500_000)],
    ["runs of each length", Buffer.concat(Array.from({ length: 600 }, (_, i) => Buffer.alloc(i, i % 251)))],
    ["noise", noise],
    ["words", words],
    ["all bytes", Buffer.from(Array.from({ length: 256 * 40 }, (_, i) => i & 255))],
    ["far repeats", Buffer.concat([noise, words, words, noise, Buffer.alloc(70_000, 7), noise])],
  ];
}

describe.each(Object.keys(DECODERS) as (keyof typeof DECODERS)[])("%s", (format) => {
  test.each(samples())("gives back %s", (_, data) => {
    for (const options of DECODERS[format].options) {
      const compressed = run(format, [...options, "-c"], data);
      if (compressed === undefined) {
        console.warn(`skipped: ${format} is not installed`);
        return;
      }
      const decoded = decodeAll(format, compressed);
      expect(decoded.length).toBe(data.length);
      expect(createHash("sha256").update(decoded).digest("hex")).toBe(
        createHash("sha256").update(data).digest("hex"),
      );
    }
  });

  test("reads streams one behind the other, byte by byte too", () => {
    const one = run(format, ["-c"], Buffer.from("first "));
    const two = run(format, ["-c"], Buffer.from("second"));
    if (one === undefined || two === undefined) return;
    expect(decodeAll(format, Buffer.concat([one, two]), 1).toString()).toBe("first second");
  });

  test("tells bytes that end too soon, wherever", () => {
    const compressed = run(format, ["-c"], samples()[5]?.[1] ?? Buffer.alloc(0));
    if (compressed === undefined) return;
    for (let end = 1; end < compressed.length - 4; end += 997)
      expect(() => decodeAll(format, compressed.subarray(0, end))).toThrow("unexpected EOF");
  });

  test("ends on damaged bytes with its own error or with other bytes, never otherwise", () => {
    const text = Buffer.from("some text, and some text again. ".repeat(300));
    const compressed = run(format, ["-c"], text);
    if (compressed === undefined) return;
    fc.assert(
      fc.property(fc.nat(compressed.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = Buffer.from(compressed);
        damaged[at] = (damaged[at] as number) ^ flip;
        try {
          decodeAll(format, damaged);
        } catch (error) {
          expect((error as Error).name).toBe("DecompressError");
        }
      }),
      { numRuns: 150 },
    );
  });

  test("refuses what is something else", () => {
    expect(() => decodeAll(format, Buffer.from("hello, world"))).toThrow("bad magic value");
  });
});

test("bzip2 notices a wrong checksum", () => {
  const compressed = run("bzip2", ["-c"], Buffer.from("hello"));
  if (compressed === undefined) return;
  compressed[10] = (compressed[10] as number) ^ 1;
  expect(() => decodeAll("bzip2", compressed)).toThrow("checksum mismatch");
});

test("zstd passes over frames that are to be skipped", () => {
  const frame = run("zstd", ["-c"], Buffer.from("data"));
  if (frame === undefined) return;
  const skippable = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
  expect(decodeAll("zstd", Buffer.concat([skippable, frame, skippable])).toString()).toBe("data");
});

test("zstd refuses a window that no memory should hold", () => {
  // A frame whose window descriptor says 2^41 bytes.
  const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 31 << 3, 1, 0, 0]);
  expect(() => decodeAll("zstd", frame)).toThrow("needs a window of");
});
