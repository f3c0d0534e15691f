import { chmodSync, linkSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeHeader, paddingOf, TarParser, toLayerEntry } from "../../src/tar/index.ts";
import {
  hasProgram,
  makeBlock,
  makeEntry,
  makeTar,
  makeTemporaryFolder,
  type ReadEntry,
  readAll,
  run,
  type Spec,
} from "./support.ts";

const END = Buffer.alloc(1024);

/** What two readings must agree on; Maps print poorly. */
function summarize(entries: readonly ReadEntry[]) {
  return entries.map(({ content, xattrs, ...rest }) => ({
    ...rest,
    content: content.toString("latin1"),
    xattrs: [...(xattrs ?? [])].map(([name, value]) => [name, Buffer.from(value).toString("hex")]),
  }));
}

const SAMPLE: readonly Spec[] = [
  { path: "d", kind: "dir", mode: 0o755 },
  { path: "d/empty" },
  { path: "d/f", content: "hello", xattrs: { "user.x": Buffer.from([0, 1, 2]) } },
  { path: `d/${"long".repeat(60)}`, content: "x".repeat(512) },
  { path: "d/größe", content: "y".repeat(1500), mtimeSeconds: -5 },
  { path: "d/h", kind: "hardlink", link: "d/f" },
  { path: "l", kind: "symlink", link: "t".repeat(200) },
  { path: "null", kind: "char", major: 1, minor: 3 },
  { path: "pipe", kind: "fifo" },
];

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

describe("archives of GNU tar and bsdtar", () => {
  function makeTree(): string {
    const folder = makeTemporaryFolder();
    mkdirSync(join(folder, "dir/sub"), { recursive: true });
    writeFileSync(join(folder, "dir/file"), "content");
    writeFileSync(join(folder, "dir/big"), Buffer.alloc(70_000, "big"));
    linkSync(join(folder, "dir/file"), join(folder, "dir/hard"));
    symlinkSync("../file", join(folder, "dir/sub/link"));
    chmodSync(join(folder, "dir/file"), 0o4711);
    utimesSync(join(folder, "dir/file"), 1_500_000_000.75, 1_500_000_000.75);
    return folder;
  }
  const inTree = (entries: readonly ReadEntry[]) =>
    Object.fromEntries(entries.map((entry) => [entry.name.replace(/^\.\//, "").replace(/\/$/, ""), entry]));

  const writers: readonly (readonly [string, string, readonly string[]])[] = [
    ["gnu", "tar", ["--format=gnu"]],
    ["oldgnu", "tar", ["--format=oldgnu"]],
    ["ustar", "tar", ["--format=ustar"]],
    ["pax", "tar", ["--format=pax"]],
    ["v7", "tar", ["--format=v7"]],
    ["gnu numeric", "tar", ["--format=gnu", "--numeric-owner", "--sort=name"]],
    ["bsdtar pax", "bsdtar", ["--format=pax"]],
    ["bsdtar gnutar", "bsdtar", ["--format=gnutar"]],
    ["bsdtar ustar", "bsdtar", ["--format=ustar"]],
    ["bsdtar v7tar", "bsdtar", ["--format=v7"]],
  ];
  for (const [label, program, args] of writers) {
    test.skipIf(!hasProgram(program))(`${label}: files, links, modes, times`, async () => {
      const folder = makeTree();
      const tar = run(program, ["-c", "-f", "-", ...args, "-C", folder, "."]);
      const entries = inTree(await readAll(tar, { chunkBytes: 1000 }));
      expect(entries["dir/sub"]).toMatchObject({ kind: "dir", mode: 0o755 });
      expect(entries["dir/big"]?.content.equals(Buffer.alloc(70_000, "big"))).toBe(true);
      expect(entries["dir/sub/link"]).toMatchObject({ kind: "symlink", link: "../file" });
      const pair = [entries["dir/file"], entries["dir/hard"]];
      const file = pair.find((entry) => entry?.kind === "file");
      expect(file).toMatchObject({ mode: 0o4711, mtimeSeconds: 1_500_000_000, size: 7 });
      expect(file?.content.toString()).toBe("content");
      const link = pair.find((entry) => entry?.kind === "hardlink");
      expect(toLayerEntry(link as ReadEntry)?.link).toBe(toLayerEntry(file as ReadEntry)?.path);
    });
  }

  for (const [label, program, args] of writers.filter(([label]) => !/ustar|v7/.test(label))) {
    test.skipIf(!hasProgram(program))(`${label}: long names and names that are no ASCII`, async () => {
      const folder = makeTemporaryFolder();
      const long = `${"a".repeat(90)}/${"b".repeat(200)}`;
      mkdirSync(join(folder, "a".repeat(90)));
      writeFileSync(join(folder, long), "1");
      symlinkSync("t".repeat(300), join(folder, "link"));
      writeFileSync(join(folder, "größe"), "2");
      writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0x62, 0xff, 0x64])]), "3");
      const entries = inTree(await readAll(run(program, ["-c", "-f", "-", ...args, "-C", folder, "."])));
      expect(entries[long]?.content.toString()).toBe("1");
      expect(entries["link"]?.link).toBe("t".repeat(300));
      expect(entries[Buffer.from("größe").toString("latin1")]?.content.toString()).toBe("2");
      expect(entries["b\xffd"]?.content.toString()).toBe("3");
    });
  }

  test.skipIf(!hasProgram("tar"))("owners beyond octal and times before 1970 in GNU's base-256", async () => {
    const folder = makeTemporaryFolder();
    writeFileSync(join(folder, "f"), "x");
    const args = ["-c", "-f", "-", "--format=gnu", "--owner=:4294967294", "--group=:3000000", "--mtime=@-77"];
    const [entry] = await readAll(run("tar", [...args, "-C", folder, "f"]));
    expect(entry).toMatchObject({ uid: 4294967294, gid: 3000000, mtimeSeconds: -77 });
  });

  test.skipIf(!hasProgram("tar"))(
    "a global PAX header gives defaults, a volume label is passed over",
    async () => {
      const folder = makeTemporaryFolder();
      writeFileSync(join(folder, "f"), "x");
      const global = run("tar", [
        "-c",
        "-f",
        "-",
        "--format=pax",
        "--pax-option=gid=77,comment=hi",
        "-C",
        folder,
        "f",
      ]);
      expect(global.includes("comment=hi")).toBe(true);
      expect(await readAll(global)).toMatchObject([{ name: "f", gid: 77 }]);
      const labelled = run("tar", ["-c", "-f", "-", "--format=gnu", "--label=LABEL", "-C", folder, "f"]);
      expect(await readAll(labelled)).toMatchObject([{ name: "f" }]);
    },
  );

  test.skipIf(!hasProgram("tar"))("xattrs that GNU tar wrote", async () => {
    const folder = makeTemporaryFolder();
    writeFileSync(join(folder, "f"), "x");
    run("python3", ["-c", `import os; os.setxattr("${folder}/f", "user.a=b", bytes(range(256)))`]);
    const [entry] = await readAll(run("tar", ["-c", "-f", "-", "--xattrs", "-C", folder, "f"]));
    expect(entry?.xattrs?.get("user.a=b")).toEqual(Buffer.from(Array.from({ length: 256 }, (_, i) => i)));
  });
});

describe("archives that GNU tar, bsdtar and Python read", () => {
  const specs: readonly Spec[] = [...SAMPLE, { path: "big-owner", uid: 3_000_000, content: "z" }];

  test.skipIf(!hasProgram("tar"))("GNU tar lists ours without a complaint", () => {
    const listing = run("tar", ["-tf", "-", "--quoting-style=literal"], makeTar(specs)).toString();
    expect(listing.trim().split("\n")).toEqual(
      specs.map(({ path, kind }) => (kind === "dir" ? `${path}/` : path)),
    );
  });

  test.skipIf(!hasProgram("bsdtar"))("bsdtar unpacks ours", () => {
    const folder = makeTemporaryFolder();
    run("bsdtar", ["-xf", "-", "-C", folder], makeTar(specs.filter(({ kind }) => kind !== "char")));
    expect(run("cat", [join(folder, `d/${"long".repeat(60)}`)]).toString()).toBe("x".repeat(512));
    expect(run("cat", [join(folder, "d/h")]).toString()).toBe("hello");
  });

  test.skipIf(!hasProgram("python3"))("Python's tarfile sees the same fields", () => {
    const script = `
import sys, tarfile, json
out = []
for m in tarfile.open(fileobj=sys.stdin.buffer, mode="r|"):
    out.append([m.name, m.type.decode(), m.mode, m.uid, m.size, m.mtime, m.linkname, m.devmajor, m.devminor])
print(json.dumps(out))`;
    const listing = JSON.parse(run("python3", ["-c", script], makeTar(specs)).toString()) as unknown[][];
    expect(listing).toEqual(
      specs.map((spec) => {
        const entry = makeEntry(spec);
        const type = { file: "0", dir: "5", hardlink: "1", symlink: "2", char: "3", fifo: "6" }[
          entry.kind as "file"
        ];
        const link = spec.link ?? "";
        const { mode, uid, size, mtimeSeconds } = entry;
        return [spec.path, type, mode, uid, size, mtimeSeconds, link, entry.major ?? 0, entry.minor ?? 0];
      }),
    );
  });

  test.skipIf(!hasProgram("python3"))("Python gives back a name that is no UTF-8, and a binary xattr", () => {
    const tar = Buffer.concat([
      encodeHeader({
        ...makeEntry({ path: "x", xattrs: { "user.b": Buffer.from([0, 255]) } }),
        path: "a\xffb" as never,
      }),
      END,
    ]);
    const script = `
import sys, tarfile
m = next(iter(tarfile.open(fileobj=sys.stdin.buffer, mode="r|", encoding="utf-8", errors="surrogateescape")))
print(m.name.encode("utf-8", "surrogateescape").hex(), m.pax_headers["SCHILY.xattr.user.b"].encode("utf-8", "surrogateescape").hex())`;
    expect(run("python3", ["-c", script], tar).toString().trim()).toBe("61ff62 00ff");
  });
});

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
