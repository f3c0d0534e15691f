import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { paddingOf } from "../../src/tar/index.ts";
import { hasProgram, makeBlock, makeTemporaryFolder, readAll, run } from "./support.ts";

const END = Buffer.alloc(1024);

/** A file with data at these offsets and a hole at its end. */
function makeSparseFile(
  folder: string,
  segments: readonly (readonly [number, string])[],
  size: number,
): Buffer {
  const path = join(folder, "sparse");
  const fd = openSync(path, "w");
  for (const [offset, text] of segments) writeSync(fd, text, offset);
  ftruncateSync(fd, size);
  closeSync(fd);
  return readFileSync(path);
}

describe("what GNU tar writes of a sparse file", () => {
  const few = [
    [0, "start"],
    [1_000_000, "x".repeat(5000)],
  ] as const;
  // More parts than an old GNU header and its first extension hold (4 and 21).
  const many = Array.from({ length: 60 }, (_, i) => [i * 100_000 + 40_000, `part ${i}`] as const);
  const formats = [
    "--format=gnu",
    "--format=pax --sparse-version=0.0",
    "--format=pax --sparse-version=0.1",
    "--format=pax --sparse-version=1.0",
  ];
  for (const format of formats) {
    for (const [label, segments] of [
      ["few", few],
      ["many", many],
      ["no", []],
    ] as const) {
      test.skipIf(!hasProgram("tar"))(`${format}, ${label} parts`, async () => {
        const folder = makeTemporaryFolder();
        const content = makeSparseFile(folder, segments, 7_000_000);
        const args = ["-c", "-f", "-", "--sparse", ...format.split(" "), "-C", folder, "sparse"];
        const tar = run("tar", args);
        expect(tar.length).toBeLessThan(1_000_000);
        for (const chunkBytes of [97, 512, tar.length]) {
          const [entry, ...others] = await readAll(tar, { chunkBytes });
          expect(others).toEqual([]);
          expect(entry).toMatchObject({ kind: "file", name: "sparse", size: 7_000_000 });
          expect(entry?.content.equals(content)).toBe(true);
        }
      });
    }
  }
});

describe("maps that lie", () => {
  function makePax(records: Readonly<Record<string, string>>, stored: string): Buffer {
    const body = Buffer.from(
      Object.entries(records)
        .map(([key, value]) => {
          const rest = ` ${key}=${value}\n`.length;
          return `${rest + 2} ${key}=${value}\n`;
        })
        .join(""),
    );
    const octal = (size: number) => `${size.toString(8).padStart(11, "0")}\0`;
    return Buffer.concat([
      makeBlock({ name: "x", type: "x", size: octal(body.length) }),
      body,
      Buffer.alloc(paddingOf(body.length)),
      makeBlock({ name: "f", size: octal(stored.length) }),
      Buffer.from(stored),
      Buffer.alloc(paddingOf(stored.length)),
      END,
    ]);
  }

  test("the helper makes one that is right", async () => {
    const tar = makePax({ "GNU.sparse.size": "20", "GNU.sparse.map": "3,2,10,1" }, "abc");
    expect((await readAll(tar))[0]?.content.toString()).toBe("\0\0\0ab\0\0\0\0\0c\0\0\0\0\0\0\0\0\0");
  });

  test.each([
    ["parts that overlap", "3,2,4,1"],
    ["parts in the wrong order", "10,1,3,2"],
    ["a part beyond the end", "3,2,20,1"],
    ["more than the archive stores", "3,2,10,2"],
    ["less than the archive stores", "3,2"],
    ["an odd number", "3,2,10"],
    ["a negative offset", "-3,3"],
    ["no numbers", "a,b"],
    ["numbers beyond 2^53", "99999999999999999999,3"],
  ])("%s", async (_name, map) => {
    const tar = makePax({ "GNU.sparse.size": "20", "GNU.sparse.map": map }, "abc");
    await expect(readAll(tar)).rejects.toMatchObject({ code: "HEADER_INVALID" });
  });

  test("a format that nobody knows", async () => {
    const tar = makePax({ "GNU.sparse.major": "2", "GNU.sparse.realsize": "9" }, "abc");
    await expect(readAll(tar)).rejects.toMatchObject({ code: "UNSUPPORTED" });
  });

  test("a map in the content that does not end", async () => {
    const records = { "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "99" };
    await expect(readAll(makePax(records, "9\n1\n".padEnd(512, "\0")))).rejects.toMatchObject({
      code: "HEADER_INVALID",
    });
    await expect(readAll(makePax(records, "99999999\n".padEnd(512, "\0")))).rejects.toMatchObject({
      code: "HEADER_TOO_LARGE",
    });
  });

  test("a sparse entry is a file, also with a slash at the end of its name", async () => {
    const sparse = makeBlock({ name: "d/", type: "S" }, (block) => block.write("00000001000\0", 483));
    const tar = Buffer.concat([
      sparse,
      makeBlock({ name: "f", size: "00000000003\0" }),
      Buffer.from("abc".padEnd(512, "\0")),
      END,
    ]);
    const entries = await readAll(tar);
    expect(entries.map(({ kind, content }) => [kind, content.toString()])).toEqual([
      ["file", "\0".repeat(512)],
      ["file", "abc"],
    ]);
  });
});
