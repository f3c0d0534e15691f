import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeHeader, paddingOf } from "../../src/tar/index.ts";
import { makeBlock, makeEntry, makeTar, type ReadEntry, readAll, SAMPLE } from "./support.ts";

const END = Buffer.alloc(1024);

/** What two readings must agree on; Maps print poorly. */
function summarize(entries: readonly ReadEntry[]) {
  return entries.map(({ content, xattrs, ...rest }) => ({
    ...rest,
    content: content.toString("latin1"),
    xattrs: [...(xattrs ?? [])].map(([name, value]) => [name, Buffer.from(value).toString("hex")]),
  }));
}

test("the entries are the same whatever the chunks: byte by byte, odd sizes, whole", async () => {
  const tar = makeTar(SAMPLE);
  const whole = summarize(await readAll(tar));
  expect(whole.map(({ name }) => name)).toEqual(
    SAMPLE.map(({ path, kind }) => Buffer.from(kind === "dir" ? `${path}/` : path).toString("latin1")),
  );
  for (const chunkBytes of [1, 7, 511, 512, 513, 1024, 4096]) {
    expect(summarize(await readAll(tar, { chunkBytes }))).toEqual(whole);
  }
});

const name = fc
  .array(
    fc.integer({ min: 1, max: 255 }).filter((byte) => byte !== 0x2f),
    { minLength: 1, maxLength: 60 },
  )
  .map((bytes) => Buffer.from(bytes).toString("latin1"))
  .filter((text) => text !== "." && text !== "..");
const path = fc.array(name, { minLength: 1, maxLength: 8 }).map((parts) => parts.join("/"));

test("what encodeHeader() writes is what the parser reads, for any entry", async () => {
  const entry = fc.record({
    path,
    kind: fc.constantFrom("file", "dir", "symlink", "hardlink", "char", "block", "fifo"),
    mode: fc.integer({ min: 0, max: 0o7777 }),
    uid: fc.integer({ min: 0, max: 2 ** 32 - 2 }),
    gid: fc.integer({ min: 0, max: 2 ** 32 - 2 }),
    mtimeSeconds: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
    content: fc.uint8Array({ maxLength: 1200 }),
    link: path,
    major: fc.integer({ min: 0, max: 4095 }),
    minor: fc.integer({ min: 0, max: 1048575 }),
    xattrs: fc.dictionary(
      fc
        .string({ minLength: 1, maxLength: 20, unit: "binary-ascii" })
        .filter((key) => !key.includes("\0"))
        .map((key) => `user.${key}`),
      fc.uint8Array({ maxLength: 300 }),
      { maxKeys: 3, noNullPrototype: true },
    ),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(entry, { maxLength: 5 }),
      fc.integer({ min: 1, max: 2000 }),
      async (list, chunkBytes) => {
        const entries = list.map((spec) => {
          const size = spec.kind === "file" ? spec.content.length : 0;
          return { ...makeEntry({ path: "x" }), ...spec, size, xattrs: new Map(Object.entries(spec.xattrs)) };
        });
        const tar = Buffer.concat([
          ...entries.flatMap((made) => [
            encodeHeader(made as never),
            made.size === 0 ? new Uint8Array() : made.content,
            Buffer.alloc(paddingOf(made.size)),
          ]),
          END,
        ]);
        const read = await readAll(tar, { chunkBytes });
        expect(read.length).toBe(entries.length);
        for (const [i, made] of entries.entries()) {
          const got = read[i] as ReadEntry;
          const linked = made.kind === "symlink" || made.kind === "hardlink";
          expect(got).toMatchObject({
            kind: made.kind,
            name: made.kind === "dir" ? `${made.path}/` : made.path,
            mode: made.mode,
            uid: made.uid,
            gid: made.gid,
            mtimeSeconds: made.mtimeSeconds,
            size: made.size,
            link: linked ? made.link : "",
            major: made.major,
            minor: made.minor,
          });
          expect(got.content.equals(made.size === 0 ? Buffer.alloc(0) : made.content)).toBe(true);
          const xattrs =
            made.kind === "hardlink" ? [] : [...made.xattrs].sort(([a], [b]) => (a < b ? -1 : 1));
          expect([...(got.xattrs ?? [])].map(([key, value]) => [key, Buffer.from(value)])).toEqual(
            xattrs.map(([key, value]) => [key, Buffer.from(value)]),
          );
        }
      },
    ),
    { numRuns: 300 },
  );
});

describe("old and odd headers", () => {
  test("v7: a name that ends with a slash is a folder, a NUL type a file", async () => {
    const tar = Buffer.concat([
      makeBlock({ name: "d/", type: "\0", magic: "" }),
      makeBlock({ name: "f", type: "\0", magic: "" }),
      END,
    ]);
    expect((await readAll(tar)).map(({ kind }) => kind)).toEqual(["dir", "file"]);
  });

  test("with a type, a file stays one whatever its name ends with, as in Go", async () => {
    const tar = Buffer.concat([
      makeBlock({ name: "f/", size: "00000000005\0" }),
      Buffer.from("hello".padEnd(512, "\0")),
      makeBlock({ name: "g" }),
      END,
    ]);
    expect((await readAll(tar)).map(({ name, kind }) => [name, kind])).toEqual([
      ["f/", "file"],
      ["g", "file"],
    ]);
  });

  test("a checksum of signed bytes", async () => {
    const block = makeBlock({ name: "f\xe9" });
    const sum = block.reduce(
      (total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte > 127 ? byte - 256 : byte),
      0,
    );
    block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    expect(await readAll(Buffer.concat([block, END]))).toMatchObject([{ name: "f\xe9" }]);
  });

  test("numbers padded with blanks", async () => {
    const block = makeBlock({ name: "f", size: "         5 \0" });
    const tar = Buffer.concat([block, Buffer.from("hello".padEnd(512, "\0")), END]);
    expect((await readAll(tar))[0]?.content.toString()).toBe("hello");
  });

  test("the size of a link or folder says nothing about what follows, as in Go", async () => {
    const tar = Buffer.concat([
      makeBlock({ name: "l", type: "1", size: "00000000777\0" }),
      makeBlock({ name: "d", type: "5", size: "00000000777\0" }),
      makeBlock({ name: "f" }),
      END,
    ]);
    expect((await readAll(tar)).map(({ name, size }) => [name, size])).toEqual([
      ["l", 0],
      ["d", 0],
      ["f", 0],
    ]);
  });
});
