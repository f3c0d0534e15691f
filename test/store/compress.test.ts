import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { digestOf } from "../../src/oci/digest.ts";
import { decompress } from "../../src/store/compress/decompress.ts";
import { gzip } from "../../src/store/compress/gzip.ts";
import { zstd } from "../../src/store/compress/zstd.ts";
import { zstdDecode } from "../../src/store/compress/zstd-decode.ts";
import { collect } from "../support/collect.ts";
import { chunks, hasProgram, noise } from "./support.ts";

const MIB = 1024 * 1024;

/** Text, then noise, then zeros, then a bit of text: every kind of block and borders inside blocks. */
const mixed = Buffer.concat([
  Buffer.from("All work and no play makes Jack a dull boy.\n".repeat(40_000)),
  noise(2 * MIB + 12_345, "mixed"),
  Buffer.alloc(1_500_000),
  Buffer.from("the end"),
]);

test.each([
  ["nothing", Buffer.alloc(0)],
  ["one byte", Buffer.from("x")],
  ["exactly one block", Buffer.alloc(MIB, "ab")],
  ["one block and a byte", Buffer.alloc(MIB + 1, "ab")],
  ["noise", noise(3 * MIB, "noise")],
  ["a mixture", mixed],
])("gzip() of %s is what every gunzip reads back", async (_, content) => {
  for (const level of [0, 1, 4, 9]) {
    const compressed = await collect(gzip(chunks(content), { level }));
    expect(gunzipSync(compressed).equals(content)).toBe(true);
    expect((await collect(decompress(chunks(compressed, 777)))).equals(content)).toBe(true);
  }
});

for (const [program, ...args] of [
  ["gunzip", "-c"],
  ["python3", "-c", "import gzip,sys; sys.stdout.buffer.write(gzip.decompress(sys.stdin.buffer.read()))"],
  ["zstd", "--format=gzip", "-dc"],
] as const) {
  test.skipIf(!hasProgram(program))(`${program} reads what gzip() wrote`, async () => {
    for (const content of [Buffer.alloc(0), mixed]) {
      const input = await collect(gzip(chunks(content)));
      expect(execFileSync(program, args, { input, maxBuffer: 1 << 28 }).equals(content)).toBe(true);
    }
  });
}

test("gzip() makes the same bytes whatever the chunks, the cores and the timing", async () => {
  const reference = digestOf(await collect(gzip(chunks(mixed, mixed.byteLength), { parallelism: 1 })));
  for (const parallelism of [1, 2, 3, 16]) {
    for (const chunkBytes of [1000, 65_536, MIB, MIB + 1, 3 * MIB]) {
      const found = await collect(gzip(late(chunks(mixed, chunkBytes)), { parallelism }));
      expect(digestOf(found)).toBe(reference);
    }
  }
});

test("gzip() round-trips any bytes in any chunks", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 5000 })), async (parts) => {
      const content = Buffer.concat(parts);
      const compressed = await collect(gzip(each(parts)));
      expect(gunzipSync(compressed).equals(content)).toBe(true);
    }),
  );
});

test("gzip() stores what won't shrink, and shrinks across block borders", async () => {
  const random = noise(4 * MIB, "random");
  const stored = await collect(gzip(chunks(random)));
  expect(stored.byteLength).toBeLessThan(random.byteLength * 1.0002 + 100);
  // Of equal lines each block needs a few bytes only because it knows what came before it.
  const lines = Buffer.from("All work and no play makes Jack a dull boy.\n".repeat(200_000));
  expect((await collect(gzip(chunks(lines), { level: 6 }))).byteLength).toBeLessThan(lines.byteLength / 100);
});

test("gzip() passes a failure of its source on, after its blocks under way have ended", async () => {
  const failure = new Error("read failed");
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield mixed;
    throw failure;
  }
  await expect(collect(gzip(failing()))).rejects.toBe(failure);
});

test("gzip() can be left in the middle", async () => {
  for await (const chunk of gzip(chunks(mixed))) {
    expect(chunk.byteLength).toBeGreaterThan(0);
    break;
  }
});

describe("decompress()", () => {
  test("gives plain bytes back as they are", async () => {
    expect((await collect(decompress(chunks(mixed)))).equals(mixed)).toBe(true);
    expect((await collect(decompress(chunks(Buffer.alloc(0))))).byteLength).toBe(0);
    expect((await collect(decompress(chunks(Buffer.from("ab"), 1)))).toString()).toBe("ab");
  });

  test("reads gzip of several members", async () => {
    const parts = [await collect(gzip(chunks(mixed))), await collect(gzip(chunks(Buffer.from("more"))))];
    const found = await collect(decompress(chunks(Buffer.concat(parts), 4096)));
    expect(found.equals(Buffer.concat([mixed, Buffer.from("more")]))).toBe(true);
  });

  test.each([
    ["cut off", (bytes: Buffer) => bytes.subarray(0, bytes.byteLength - 1000), "Z_BUF_ERROR"],
    ["altered", (bytes: Buffer) => flip(bytes, bytes.byteLength - 6), "Z_DATA_ERROR"],
  ])("says that gzip is %s", async (_, damage, code) => {
    const compressed = await collect(gzip(chunks(mixed)));
    await expect(collect(decompress(chunks(damage(compressed))))).rejects.toMatchObject({ code });
  });

  test("says which compression no layer may have", async () => {
    const xz = Buffer.from("fd377a585a000004e6d6b446", "hex");
    await expect(collect(decompress(chunks(xz)))).rejects.toMatchObject({ code: "COMPRESSION_UNAVAILABLE" });
  });

  test("passes a failure of its source on", async () => {
    const failure = new Error("read failed");
    const compressed = await collect(gzip(chunks(mixed)));
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield compressed.subarray(0, 100_000);
      throw failure;
    }
    await expect(collect(decompress(failing()))).rejects.toBe(failure);
  });
});

describe("zstd()", () => {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const isBuiltIn = major > 22 || (major === 22 && minor >= 15);

  test.runIf(isBuiltIn)(
    "round-trips, and makes the same bytes whatever the chunks and the cores",
    async () => {
      for (const content of [Buffer.alloc(0), Buffer.from("x"), mixed]) {
        const compressed = await collect(zstd(chunks(content), { parallelism: 1 }));
        expect((await collect(decompress(chunks(compressed, 777)))).equals(content)).toBe(true);
        const again = await collect(zstd(late(chunks(content, 3333)), { parallelism: 4 }));
        expect(again.equals(compressed)).toBe(true);
      }
      expect((await collect(zstd(chunks(mixed)))).byteLength).toBeLessThan(mixed.byteLength * 0.7);
    },
  );

  test.runIf(isBuiltIn && hasProgram("zstd"))("is read by zstd's own program", async () => {
    const input = await collect(zstd(chunks(mixed)));
    expect(execFileSync("zstd", ["-dc"], { input, maxBuffer: 1 << 28 }).equals(mixed)).toBe(true);
  });

  describe.skipIf(isBuiltIn)("where Node.js can't", () => {
    const { PATH: searchPath = "" } = process.env;

    test.runIf(hasProgram("zstd"))(
      "is made by the program, with the same bytes whatever the chunks",
      async () => {
        for (const content of [Buffer.alloc(0), Buffer.from("x"), mixed]) {
          const compressed = await collect(zstd(chunks(content), { searchPath }));
          expect((await collect(decompress(chunks(compressed, 777)))).equals(content)).toBe(true);
          const again = await collect(zstd(late(chunks(content, 3333)), { searchPath }));
          expect(again.equals(compressed)).toBe(true);
          const fast = await collect(zstd(chunks(content), { searchPath, level: 1 }));
          expect(execFileSync("zstd", ["-dc"], { input: fast, maxBuffer: 1 << 28 }).equals(content)).toBe(
            true,
          );
        }
        const small = await collect(zstd(chunks(mixed), { searchPath, level: 22 }));
        expect(small.byteLength).toBeLessThan(mixed.byteLength * 0.6);
      },
    );

    test.runIf(hasProgram("zstd"))("fails with its source, and stops when nobody reads on", async () => {
      const failure = new Error("read failed");
      async function* failing(): AsyncGenerator<Uint8Array> {
        yield mixed;
        throw failure;
      }
      await expect(collect(zstd(failing(), { searchPath }))).rejects.toBe(failure);
      let isClosed = false;
      async function* endless(): AsyncGenerator<Uint8Array> {
        try {
          for (;;) yield mixed;
        } finally {
          isClosed = true;
        }
      }
      for await (const chunk of zstd(endless(), { searchPath })) {
        expect(chunk.byteLength).toBeGreaterThan(0);
        break;
      }
      expect(isClosed).toBe(true);
    });

    test("fails with what the program says", async () => {
      const folder = mkdtempSync(join(tmpdir(), "zstd-test-"));
      writeFileSync(join(folder, "zstd"), "#!/bin/sh\necho no memory left >&2\nexit 11\n", { mode: 0o755 });
      try {
        await expect(collect(zstd(chunks(mixed), { searchPath: folder }))).rejects.toMatchObject({
          code: "COMPRESSION_UNAVAILABLE",
          message: "Cannot compress with zstd: no memory left",
        });
      } finally {
        rmSync(folder, { recursive: true });
      }
    });

    test("says what to install where there is no program", async () => {
      const expected = {
        code: "COMPRESSION_UNAVAILABLE",
        hint: expect.stringMatching(/apt-get install zstd.*22\.15/),
      };
      await expect(collect(zstd(chunks(mixed), { searchPath: "/nowhere" }))).rejects.toMatchObject(expected);
    });
  });

  describe("is read, also by a Node.js without it,", () => {
    const cases = [
      ["in one frame", ["-3"]],
      ["with a checksum and a window larger than what was read so far", ["-19", "--check", "--zstd=wlog=23"]],
      ["with long matches", ["--long=24"]],
      ["without compression", ["--fast=100"]],
    ] as const;
    test.runIf(hasProgram("zstd")).each(cases)("%s", async (_title, flags) => {
      const input = execFileSync("zstd", [...flags, "-c"], { input: mixed, maxBuffer: 1 << 28 });
      for (const size of [777, 1 << 20]) {
        expect((await collect(zstdDecode(chunks(input, size)))).equals(mixed)).toBe(true);
      }
      expect((await collect(decompress(chunks(input)))).equals(mixed)).toBe(true);
    });

    test.runIf(hasProgram("zstd"))("between frames that hold other things, however large", async () => {
      const frame = (content: Buffer): Buffer => execFileSync("zstd", ["-c"], { input: content });
      const other = Buffer.alloc(8 + 900_000, 7);
      other.writeUInt32LE(0x184d2a50, 0);
      other.writeUInt32LE(900_000, 4);
      const input = Buffer.concat([frame(Buffer.from("one")), other, frame(Buffer.from("two")), other]);
      expect((await collect(decompress(chunks(input, 10_000)))).toString()).toBe("onetwo");
    });

    test.runIf(hasProgram("zstd"))("unless it is cut off, or damaged", async () => {
      const input = execFileSync("zstd", ["-c"], { input: mixed, maxBuffer: 1 << 28 });
      await expect(collect(zstdDecode(chunks(input.subarray(0, -10))))).rejects.toMatchObject({
        code: "TRUNCATED",
      });
      await expect(
        collect(zstdDecode(each([input.subarray(0, 500_000), Buffer.alloc(500_000, 255)]))),
      ).rejects.toMatchObject({ code: expect.stringMatching(/CORRUPT|TRUNCATED/) });
    });
  });
});

async function* late(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    if (chunk.byteLength % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
    yield chunk;
  }
}

async function* each(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

function flip(bytes: Buffer, at: number): Buffer {
  const altered = Buffer.from(bytes);
  altered[at] = (altered[at] as number) ^ 1;
  return altered;
}
