import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeHeader, paddingOf, TarParser } from "../../src/tar/index.ts";
import { makeBlock, makeEntry, makeTar, readAll, SAMPLE } from "./support.ts";

const END = Buffer.alloc(1024);

describe("where an archive is cut off", () => {
  test("it is truncated at every block, but right after an entry if that is allowed", async () => {
    const tar = makeTar(SAMPLE);
    const starts = new Set<number>();
    let at = 0;
    const parser = new TarParser({
      entry: () => undefined,
      content: () => undefined,
      hole: () => undefined,
      end: () => undefined,
    });
    for (const spec of SAMPLE) {
      starts.add(at);
      at += encodeHeader(makeEntry(spec)).length + Math.ceil(makeEntry(spec).size / 512) * 512;
    }
    parser.write(tar);
    parser.finish();
    for (let end = 0; end < tar.length; end += 512) {
      const cut = tar.subarray(0, end);
      const isMarked = end > at;
      const strict = readAll(cut).then(
        () => "fine",
        (error: unknown) => (error as { code: string }).code,
      );
      expect([end, await strict]).toEqual([end, isMarked ? "fine" : "TRUNCATED"]);
      const lenient = readAll(cut, { allowMissingEnd: true }).then(
        () => "fine",
        (error: unknown) => (error as { code: string }).code,
      );
      expect([end, await lenient]).toEqual([
        end,
        isMarked || starts.has(end) || end === at ? "fine" : "TRUNCATED",
      ]);
    }
  });

  test("it is truncated inside a block, and says so in Docker's words", async () => {
    const tar = makeTar([{ path: "a", content: "hello" }]);
    for (const end of [1, 511, 513, 517, 1023, 1025]) {
      await expect(readAll(tar.subarray(0, end), { allowMissingEnd: true })).rejects.toMatchObject({
        code: "TRUNCATED",
        message: expect.stringContaining("unexpected EOF"),
      });
    }
  });

  test("anything after the end marker is of no interest", async () => {
    const tar = Buffer.concat([makeTar([{ path: "a" }]), Buffer.from("rubbish"), Buffer.alloc(9000, 1)]);
    expect(await readAll(tar, { chunkBytes: 333 })).toMatchObject([{ name: "a" }]);
  });
});

describe("what is no honest archive", () => {
  const rejects = (tar: Uint8Array, code: string) => expect(readAll(tar)).rejects.toMatchObject({ code });

  test("no tar at all", async () => {
    await rejects(Buffer.alloc(2000, "some text "), "NOT_A_TAR");
    await rejects(Buffer.from("x".repeat(600)), "NOT_A_TAR");
  });

  test("a header with a wrong checksum further on", async () => {
    const tar = makeTar([{ path: "a" }, { path: "b" }]);
    tar[512] = (tar[512] as number) ^ 1;
    await rejects(tar, "HEADER_INVALID");
  });

  test("a header after one block of zeros", async () => {
    await rejects(
      Buffer.concat([makeBlock({ name: "a" }), Buffer.alloc(512), makeBlock({ name: "b" }), END]),
      "HEADER_INVALID",
    );
  });

  test("a size that is no number, negative, or beyond 2^53", async () => {
    await rejects(Buffer.concat([makeBlock({ name: "a", size: "0000000000x\0" }), END]), "HEADER_INVALID");
    const negative = Buffer.alloc(12, 0xff);
    await rejects(Buffer.concat([makeBlock({ name: "a", size: negative }), END]), "HEADER_INVALID");
    const huge = Buffer.from("800000007fffffffffffffff", "hex");
    await rejects(Buffer.concat([makeBlock({ name: "a", size: huge }), END]), "HEADER_INVALID");
  });

  test("an extended header larger than anything honest: it is refused before it is read", async () => {
    for (const type of ["x", "g", "L", "K"]) {
      await rejects(makeBlock({ name: "a", type, size: "77777777777\0" }), "HEADER_TOO_LARGE");
    }
  });

  test("global headers that never stop growing", async () => {
    const body = Buffer.from(`${"30000"} comment=${"x".repeat(30000 - 15)}\n`);
    const header = makeBlock({
      name: "g",
      type: "g",
      size: `${body.length.toString(8).padStart(11, "0")}\0`,
    });
    const one = Buffer.concat([header, body, Buffer.alloc(paddingOf(body.length))]);
    expect(await readAll(Buffer.concat([one, one, END]))).toEqual([]);
    await rejects(Buffer.concat([one, one, one, END]), "HEADER_TOO_LARGE");
  });

  test.each([
    "5 a=b\n",
    "6 a=bc",
    "99 a=b\n",
    "a=b\n",
    "-6 a=b\n",
    "6  ab\n",
    "0 a=b\n",
    "12 size=12x\n\n",
    "12 mtime=1e\n",
  ])("the PAX record %j", async (text) => {
    const body = Buffer.from(text);
    const header = makeBlock({
      name: "x",
      type: "x",
      size: `${body.length.toString(8).padStart(11, "0")}\0`,
    });
    await rejects(
      Buffer.concat([header, body, Buffer.alloc(paddingOf(body.length)), makeBlock({ name: "a" }), END]),
      "HEADER_INVALID",
    );
  });

  test("entries without a meaning here", async () => {
    await rejects(Buffer.concat([makeBlock({ name: "a", type: "M" }), END]), "UNSUPPORTED");
    await rejects(Buffer.concat([makeBlock({ name: "a", type: "?" }), END]), "UNSUPPORTED");
  });

  test("random damage never does worse than throw a TarError", async () => {
    const tar = makeTar(SAMPLE);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(tar.length - 1), fc.integer({ min: 0, max: 255 })), {
          minLength: 1,
          maxLength: 20,
        }),
        fc.boolean(),
        async (changes, fixes) => {
          const damaged = Buffer.from(tar);
          for (const [at, byte] of changes) damaged[at] = byte;
          if (fixes) {
            // With right checksums the damage gets past the first check.
            for (let at = 0; at + 512 <= damaged.length; at += 512) {
              if (damaged.toString("latin1", at + 257, at + 262) === "ustar")
                fixChecksum(damaged.subarray(at, at + 512));
            }
          }
          await readAll(damaged).catch((error: unknown) => expect((error as Error).name).toBe("TarError"));
        },
      ),
      { numRuns: 500 },
    );
  });
});

function fixChecksum(block: Buffer): void {
  block.write("        ", 148);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
}
