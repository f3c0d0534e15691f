import { createHash } from "node:crypto";
import { appendFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { digestOf } from "../../../src/oci/digest.ts";
import { packSnapshot, type SourcedEntry, writeLayer } from "../../../src/store/layers/index.ts";
import { makeEntry } from "../../tar/support.ts";
import {
  describeFolder,
  isRoot,
  makeSourced,
  makeTemporaryFolder,
  readAll,
  repack,
  run,
  type Spec,
  write,
} from "./support.ts";

const SAMPLE: readonly Spec[] = [
  { path: "etc", kind: "dir", mode: 0o755 },
  { path: "etc/empty" },
  {
    path: "etc/motd",
    content: "hello",
    mode: 0o4755,
    mtimeSeconds: -3,
    xattrs: { "user.x": Buffer.from([0, 255]) },
  },
  { path: "etc/motd2", kind: "hardlink", link: "etc/motd" },
  { path: "gone", kind: "whiteout" },
  { path: "größe", kind: "symlink", link: "etc/motd" },
  { path: "pipe", kind: "fifo", mode: 0o620 },
  { path: "var", kind: "dir", mode: 0o1777 },
  { path: "var", kind: "opaque" },
  { path: "var/new", content: "n".repeat(3000) },
];

/** A file on disk as an entry. */
function fileEntry(path: string, hostPath: string, size: number): SourcedEntry {
  return { ...makeEntry({ path }), size, content: { kind: "file", hostPath } };
}

describe("writeLayer()", () => {
  test("diffId and tarSize are those of the tar it hands on", async () => {
    const { packed, tar } = await write(SAMPLE);
    expect(packed.diffId).toBe(digestOf(tar));
    expect(packed.tarSize).toBe(tar.length);
    expect((await readAll(tar)).map(({ name }) => name)).toEqual([
      "etc/",
      "etc/empty",
      "etc/motd",
      "etc/motd2",
      ".wh.gone",
      "gr\xc3\xb6\xc3\x9fe",
      "pipe",
      "var/",
      "var/.wh..wh..opq",
      "var/new",
    ]);
  });

  test("the tar is the same with and without snapshot and taker, from an array, a generator or a stream", async () => {
    const { packed } = await write(SAMPLE);
    expect(await writeLayer(SAMPLE.map(makeSourced))).toEqual(packed);
    expect(
      await writeLayer(
        (function* () {
          yield* SAMPLE.map(makeSourced);
        })(),
      ),
    ).toEqual(packed);
    expect(
      await writeLayer(
        (async function* () {
          yield* SAMPLE.map(makeSourced);
        })(),
      ),
    ).toEqual(packed);
  });

  test("the order in which entries come does not matter", async () => {
    const { packed } = await write(SAMPLE);
    expect(await writeLayer(SAMPLE.map(makeSourced).reverse())).toEqual(packed);
  });

  test("the snapshot holds the layer in overlay form", async () => {
    const { snapshot } = await write(SAMPLE);
    const y = Buffer.from("y").toString("hex");
    const sum = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 12);
    expect(describeFolder(snapshot)).toEqual([
      "etc 40755 0:0 0 1700000000",
      `etc/empty 100644 0:0 0 1700000000 ${sum("")}`,
      `etc/motd 104755 0:0 0 -3 ${sum("hello")}  user.x=00ff`,
      `etc/motd2 104755 0:0 0 -3 ${sum("hello")} = etc/motd user.x=00ff`,
      "gone whiteout",
      "gr\xc3\xb6\xc3\x9fe 120777 0:0 0 1700000000",
      "pipe 10620 0:0 0 1700000000",
      `var 41777 0:0 0 1700000000   user.overlay.opaque=${y}`,
      `var/new 100644 0:0 0 1700000000 ${sum("n".repeat(3000))}`,
    ]);
  });

  test("packSnapshot() gives the same bytes again", async () => {
    const { snapshot, tar } = await write(SAMPLE);
    expect((await repack(snapshot)).equals(tar)).toBe(true);
  });

  test("packSnapshot() may be left early", async () => {
    const { snapshot } = await write([{ path: "a", content: Buffer.alloc(5_000_000, 1) }]);
    for await (const chunk of packSnapshot(snapshot)) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
  });

  test("an empty layer is an archive of nothing", async () => {
    const { tar, snapshot } = await write([]);
    expect(tar.equals(Buffer.alloc(1024))).toBe(true);
    expect((await repack(snapshot)).equals(tar)).toBe(true);
  });

  test("the root has an entry only if it was given one, and packSnapshot() knows", async () => {
    const { tar, snapshot } = await write([
      { path: "", kind: "dir", mode: 0o700 },
      { path: "a", content: "x" },
    ]);
    expect((await readAll(tar))[0]).toMatchObject({ name: "./", mode: 0o700 });
    expect((await repack(snapshot)).equals(tar)).toBe(true);
  });

  test.skipIf(!isRoot)("owners, devices and file capabilities", async () => {
    const capability = Buffer.from("0100000200200000000000000000000000000000", "hex");
    const { tar, snapshot } = await write([
      { path: "d", kind: "dir", mode: 0o2750, uid: 1, gid: 2 },
      { path: "d/f", content: "x", mode: 0o6755, uid: 1000, gid: 70_000 },
      { path: "d/ping", content: "x", mode: 0o755, uid: 5, xattrs: { "security.capability": capability } },
      { path: "null", kind: "char", mode: 0o666, major: 1, minor: 3 },
      { path: "sda", kind: "block", mode: 0o660, major: 8, minor: 0, gid: 6 },
      { path: "link", kind: "symlink", link: "/nowhere", uid: 7, gid: 8 },
    ]);
    const lines = describeFolder(snapshot);
    expect(lines[0]).toMatch(/^d 42750 1:2 /);
    expect(lines[1]).toMatch(/^d\/f 106755 1000:70000 /);
    expect(lines[2]).toContain(`security.capability=${capability.toString("hex")}`);
    expect(lines.at(-1)).toMatch(/^sda 60660 0:6 2048 /);
    expect((await repack(snapshot)).equals(tar)).toBe(true);
    expect(
      run("stat", ["-c", "%u:%g", join(snapshot, "link")])
        .toString()
        .trim(),
    ).toBe("7:8");
  });
});

describe("files on disk", () => {
  test.each([0, 1, 512, 262_143, 262_144, 262_145, 1_048_576, 3_000_001])("of %d bytes", async (size) => {
    const folder = makeTemporaryFolder();
    const content = Buffer.alloc(size, "0123456789abcdef!");
    writeFileSync(join(folder, "f"), content);
    const fromFile = await write([
      fileEntry("f", join(folder, "f"), size),
      makeSourced({ path: "z", content: "after" }),
    ]);
    const fromBytes = await write([
      { path: "f", content },
      { path: "z", content: "after" },
    ]);
    expect(fromFile.packed).toEqual(fromBytes.packed);
    expect(fromFile.tar.equals(fromBytes.tar)).toBe(true);
    expect(describeFolder(fromFile.snapshot)).toEqual(describeFolder(fromBytes.snapshot));
  });

  test("many small ones cross the edges of the buffer", async () => {
    const folder = makeTemporaryFolder();
    const entries: SourcedEntry[] = [];
    for (let i = 0; i < 300; i++) {
      const size = (i * 7919) % 20_000;
      writeFileSync(join(folder, `f${i}`), Buffer.alloc(size, i));
      entries.push(fileEntry(`f${String(i).padStart(3, "0")}`, join(folder, `f${i}`), size));
    }
    const { tar, packed, snapshot } = await write(entries);
    expect(packed.diffId).toBe(digestOf(tar));
    const read = await readAll(tar, { chunkBytes: 65_536 });
    expect(read.length).toBe(300);
    for (const [i, { content }] of read.entries()) {
      expect(content.equals(Buffer.alloc((i * 7919) % 20_000, i))).toBe(true);
    }
    expect((await repack(snapshot)).equals(tar)).toBe(true);
  });

  for (const size of [5000, 2_000_000]) {
    describe(`that changed (${size} bytes)`, () => {
      function make() {
        const path = join(makeTemporaryFolder(), "f");
        writeFileSync(path, Buffer.alloc(size, 1));
        return { path, entry: fileEntry("dir name/ü", path, size) };
      }
      const folder = makeSourced({ path: "dir name", kind: "dir" });

      test("and grew", async () => {
        const { path, entry } = make();
        appendFileSync(path, "more");
        await expect(write([folder, entry])).rejects.toMatchObject({
          code: "FILE_CHANGED",
          message: expect.stringContaining(`instead of ${size}`),
        });
      });

      test("and shrank", async () => {
        const { path, entry } = make();
        truncateSync(path, size - 1);
        await expect(write([folder, entry])).rejects.toMatchObject({ code: "FILE_CHANGED" });
      });

      test("and went", async () => {
        const { path, entry } = make();
        rmSync(path);
        await expect(write([folder, entry])).rejects.toMatchObject({ code: "FILE_CHANGED" });
      });

      test("and became a symlink to something secret, or a FIFO", async () => {
        const { path, entry } = make();
        rmSync(path);
        symlinkSync("/etc/passwd", path);
        await expect(write([folder, entry])).rejects.toMatchObject({ code: "FILE_CHANGED" });
        rmSync(path);
        run("mkfifo", [path]);
        await expect(write([folder, entry])).rejects.toMatchObject({ code: "FILE_CHANGED" });
      });
    });
  }

  test("a taker that fails stops the packing with its error", async () => {
    const failing = writeLayer([makeSourced({ path: "a", content: "x" })], {
      onTarChunk: () => Promise.reject(new Error("disk full")),
    });
    await expect(failing).rejects.toThrow("disk full");
  });

  test("an abort stops the packing with the signal's reason", async () => {
    const reason = new Error("enough");
    const aborted = writeLayer(
      [makeSourced({ path: "a", content: "x" })],
      {},
      { signal: AbortSignal.abort(reason) },
    );
    await expect(aborted).rejects.toBe(reason);
    const controller = new AbortController();
    const path = join(makeTemporaryFolder(), "f");
    writeFileSync(path, Buffer.alloc(5_000_000));
    const late = writeLayer(
      [fileEntry("f", path, 5_000_000)],
      { onTarChunk: () => controller.abort(reason) },
      { signal: controller.signal },
    );
    await expect(late).rejects.toBe(reason);
  });
});

describe("treeId", () => {
  const treeId = async (specs: readonly Spec[], options = {}) =>
    (await writeLayer(specs.map(makeSourced), {}, options)).treeId;
  const base: readonly Spec[] = [
    { path: "d", kind: "dir", mode: 0o755 },
    { path: "d/f", content: "x" },
    { path: "l", kind: "symlink", link: "d" },
  ];

  test("does not depend on times", async () => {
    expect(await treeId(base.map((spec) => ({ ...spec, mtimeSeconds: 5 })))).toBe(await treeId(base));
  });

  test("depends on times from before the step, if asked to", async () => {
    const options = { recentSinceSeconds: 1000 };
    const old = await treeId(
      base.map((spec) => ({ ...spec, mtimeSeconds: 999 })),
      options,
    );
    expect(old).not.toBe(await treeId(base, options));
    expect(
      await treeId(
        base.map((spec) => ({ ...spec, mtimeSeconds: 1000 })),
        options,
      ),
    ).toBe(await treeId(base, options));
  });

  const change = (index: number, with_: Partial<Spec>) =>
    base.map((spec, i) => (i === index ? { ...spec, ...with_ } : spec));
  test.each<readonly [string, readonly Spec[]]>([
    ["content", change(1, { content: "y" })],
    ["mode of a file", change(1, { mode: 0o600 })],
    ["mode of a folder", change(0, { mode: 0o700 })],
    ["owner", change(1, { uid: 1 })],
    ["group", change(1, { gid: 1 })],
    ["link target", change(2, { link: "e" })],
    ["name", [...base.slice(0, 1), { path: "d/g", content: "x" }, ...base.slice(2)]],
    ["xattrs", change(1, { xattrs: { "user.a": Buffer.from("1") } })],
    ["one more entry", [...base, { path: "z", kind: "whiteout" }]],
    ["a hard link in place of a copy", [...base, { path: "m", kind: "hardlink", link: "d/f" }]],
  ])("depends on %s", async (_name, specs) => {
    expect(await treeId(specs)).not.toBe(await treeId(base));
  });

  test("of a given content digest is the same as of one that is computed", async () => {
    for (const size of [100, 1_000_000]) {
      const path = join(makeTemporaryFolder(), "f");
      writeFileSync(path, Buffer.alloc(size, 3));
      const entry = fileEntry("f", path, size);
      const digest = digestOf(Buffer.alloc(size, 3));
      const given = { ...entry, content: { kind: "file", hostPath: path, digest } as const };
      expect(await writeLayer([given])).toEqual(await writeLayer([entry]));
    }
  });
});
