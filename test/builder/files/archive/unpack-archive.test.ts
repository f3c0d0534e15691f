import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type FileTree, LocalTree, type Owner, parseChmod } from "../../../../src/builder/files/index.ts";
import type { SourcedEntry } from "../../../../src/store/layers/types.ts";
import { bytes, copy, MemoryTree, paths, show, temporaryFolder, writeFiles } from "../support.ts";
import { type ArchiveEntry, tarOf, writeArchive } from "./archives.ts";

/** ADD a.tar /x/ onto a tree; returns the layer. */
async function add(
  entries: readonly ArchiveEntry[],
  options: { readonly onto?: FileTree; readonly owner?: Owner; readonly to?: string } = {},
): Promise<readonly SourcedEntry[]> {
  const folder = temporaryFolder();
  await writeArchive(folder, entries);
  return copy({
    from: new LocalTree(folder),
    sources: ["a.tar"],
    to: options.to ?? "/x/",
    onto: options.onto ?? new MemoryTree({}),
    operation: { unpack: true, owner: options.owner },
    scratchDir: join(folder, "scratch"),
  });
}

const DIR = { kind: "dir" } as const;

describe("what an entry becomes", () => {
  const entries: readonly ArchiveEntry[] = [
    { name: "t/", type: "directory", mode: 0o750, uid: 5, gid: 6 },
    { name: "t/f", text: "hello", mode: 0o640, uid: 7, gid: 8 },
    { name: "s", text: "s", mode: 0o4755 },
    { name: "t/l", type: "symlink", linkname: "f", uid: 1 },
    { name: "t/h", type: "link", linkname: "t/f", mode: 0o640, uid: 7, gid: 8 },
    { name: "null", type: "character-device", devmajor: 1, devminor: 3, mode: 0o666 },
    { name: "p", type: "fifo", mode: 0o600 },
  ];

  test("owners, modes, links and devices are the archive's", async () => {
    expect(show(await add(entries))).toEqual([
      "x dir 755 0:0",
      "x/null char 666 0:0",
      "x/p fifo 600 0:0",
      "x/s file 4755 0:0",
      "x/t dir 750 5:6",
      "x/t/f file 640 7:8",
      "x/t/h hardlink 640 7:8 -> x/t/f",
      "x/t/l symlink 777 1:0 -> f",
    ]);
  });

  test("--chown counts for all of them, --chmod for none", async () => {
    const lines = show(await add(entries, { owner: { uid: 3, gid: 4 } }));
    expect(lines.every((line) => line.includes("3:4"))).toBe(true);
    const folder = temporaryFolder();
    await writeArchive(folder, entries);
    const changed = await copy({
      from: new LocalTree(folder),
      sources: ["a.tar"],
      to: "/x",
      operation: { unpack: true, chmod: parseChmod("700") },
      scratchDir: join(folder, "scratch"),
    });
    expect(show(changed)).toContain("x/s file 4755 0:0");
    expect(show(changed)).toContain("x dir 755 0:0");
  });

  test("a hard link's own header reaches the file", async () => {
    const layer = await add([
      { name: "f", text: "x", mode: 0o640, uid: 7, gid: 8 },
      {
        name: "h",
        type: "link",
        linkname: "f",
        mode: 0o755,
        uid: 1,
        gid: 2,
        mtime: new Date(1300000000_000),
      },
    ]);
    expect(show(layer)).toContain("x/f file 755 1:2");
    expect(layer.find(({ path }) => path === "x/f")?.mtimeSeconds).toBe(1300000000);
  });

  test("times are the archive's, as far as Docker can set them", async () => {
    const layer = await add([
      { name: "a", mtime: new Date(1500) },
      { name: "b", mtime: new Date(1e12) },
      { name: "c", pax: { mtime: "-3600" } },
    ]);
    expect(layer.slice(1).map(({ mtimeSeconds }) => mtimeSeconds)).toEqual([1, 1e9, 0]);
  });

  test("of its attributes the capability stays, and a hard link without one takes it away", async () => {
    const capability = "\u0001\u0000\u0000\u0002";
    const pax = { "SCHILY.xattr.security.capability": capability, "SCHILY.xattr.user.note": "x" };
    const one = await add([{ name: "f", text: "x", pax }]);
    expect([...(one[1]?.xattrs?.keys() ?? [])]).toEqual(["security.capability"]);
    const two = await add([
      { name: "f", text: "x", pax },
      { name: "h", type: "link", linkname: "f" },
    ]);
    expect(two.some(({ xattrs }) => xattrs !== undefined)).toBe(false);
  });

  test("contents arrive whole, whatever their size", async () => {
    const texts = ["", "small", "x".repeat(40_000), "y".repeat(3_000_000)];
    const layer = await add(texts.map((text, i) => ({ name: `f${i}`, text })));
    const found = layer.slice(1).map(({ content }) => {
      if (content === undefined) return undefined;
      const data =
        content.kind === "bytes" ? content.bytes : readFileSync(Buffer.from(content.hostPath, "latin1"));
      return Buffer.from(data).toString();
    });
    expect(found).toEqual(texts);
  });
});

describe("links that no file system can make", () => {
  test("a hard link to a folder", async () => {
    const entries: readonly ArchiveEntry[] = [
      { name: "d", type: "directory" },
      { name: "h", type: "link", linkname: "d" },
    ];
    await expect(add(entries)).rejects.toThrow("link d x/h: operation not permitted");
  });

  test("a symlink to nothing", async () => {
    await expect(add([{ name: "s", type: "symlink", linkname: "" }])).rejects.toThrow(
      'symlink "" x/s: no such file or directory',
    );
  });
});

describe("where an entry goes", () => {
  test("below the destination, also with an absolute name", async () => {
    expect(paths(await add([{ name: "/abs/f" }, { name: "./b//c/../d" }]))).toEqual([
      "x",
      "x/abs",
      "x/abs/f",
      "x/b",
      "x/b/d",
    ]);
  });

  test("never above it", async () => {
    await expect(add([{ name: "../f" }])).rejects.toThrow('invalid entry name "../f"');
    await expect(add([{ name: "f" }, { name: "h", type: "link", linkname: "../f" }])).rejects.toThrow(
      'invalid hardlink target "../f"',
    );
  });

  test("through symlinks, absolute ones from the destination on", async () => {
    const onto = new MemoryTree({
      "x/real": DIR,
      "x/abs": { kind: "symlink", link: bytes("/real") },
      "x/rel": { kind: "symlink", link: bytes("./real") },
      real: DIR,
    });
    expect(paths(await add([{ name: "abs/f" }, { name: "rel/g" }], { onto }))).toEqual([
      "x",
      "x/real",
      "x/real/f",
      "x/real/g",
    ]);
  });

  test("but through none that climbs out of it", async () => {
    const entries: readonly ArchiveEntry[] = [
      { name: "out", type: "symlink", linkname: ".." },
      { name: "out/etc/f" },
    ];
    await expect(add(entries)).rejects.toThrow(
      'Cannot unpack "a.tar": statat out/etc: path escapes from parent',
    );
  });

  test("folders that the archive only implies are root's, even with --chown", async () => {
    const layer = await add([{ name: "a/b/f" }], { owner: { uid: 3, gid: 4 } });
    expect(show(layer)).toEqual([
      "x dir 755 3:4",
      "x/a dir 755 0:0",
      "x/a/b dir 755 0:0",
      "x/a/b/f file 644 3:4",
    ]);
    const named = await add([{ name: "a/f" }, { name: "a/", type: "directory", mode: 0o711, uid: 12 }]);
    expect(show(named)).toContain("x/a dir 711 12:0");
  });
});

describe("what is in its place already", () => {
  const onto = new MemoryTree({
    x: { ...DIR, mode: 0o700, uid: 9 },
    "x/dir/old": {},
    "x/file": {},
    "x/link": { kind: "symlink", link: bytes("dir") },
  });

  test("folders merge and take the archive's mode; the destination itself stays", async () => {
    const layer = await add(
      [
        { name: "./", type: "directory", mode: 0o777, uid: 1 },
        { name: "dir/", type: "directory", mode: 0o711, uid: 2 },
        { name: "dir/new" },
      ],
      { onto },
    );
    expect(show(layer)).toEqual(["x dir 700 9:0", "x/dir dir 711 2:0", "x/dir/new file 644 0:0"]);
  });

  test("a file takes the place of a folder, a folder that of a file or link", async () => {
    const layer = await add(
      [
        { name: "dir", text: "f" },
        { name: "file/", type: "directory", mode: 0o755 },
        { name: "file/f" },
        { name: "link/", type: "directory", mode: 0o755 },
      ],
      { onto },
    );
    expect(show(layer)).toEqual([
      "x dir 700 9:0",
      "x/dir file 644 0:0",
      "x/file dir 755 0:0",
      "x/file/f file 644 0:0",
      "x/link dir 755 0:0",
    ]);
  });

  test("a folder removed and made again hides what was in it", async () => {
    const layer = await add(
      [{ name: "dir" }, { name: "dir/", type: "directory", mode: 0o755 }, { name: "dir/f" }],
      { onto },
    );
    expect(show(layer)).toContain("x/dir opaque");
  });

  test("a hard link to a file of the image brings that file along", async () => {
    const layer = await add([{ name: "h", type: "link", linkname: "file" }], { onto });
    expect(paths(layer)).toEqual(["x", "x/file", "x/h"]);
    await expect(add([{ name: "h", type: "link", linkname: "none" }], { onto })).rejects.toThrow(
      "link none x/h: no such file or directory",
    );
  });

  test("a whiteout's name deletes", async () => {
    expect(show(await add([{ name: ".wh.file" }], { onto }))).toEqual(["x dir 700 9:0", "x/file whiteout"]);
  });

  test("a destination that is a file is an error", async () => {
    await expect(add([{ name: "f" }], { to: "/x/file", onto })).rejects.toThrow(
      "mkdir /x/file: not a directory",
    );
  });
});

test("a symlink to an archive is unpacked, and several add up", async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "one.tar"), await tarOf([{ name: "a", text: "1" }]));
  writeFileSync(join(folder, "two.tar"), await tarOf([{ name: "b", text: "2" }]));
  writeFiles(folder, { "l.tar": "-> one.tar", "plain.txt": "x" });
  const layer = await copy({
    from: new LocalTree(folder),
    sources: ["l.tar", "t*.tar", "*.txt"],
    to: "/x",
    operation: { unpack: true },
    scratchDir: join(folder, "scratch"),
  });
  expect(paths(layer)).toEqual(["x", "x/a", "x/b", "x/plain.txt"]);
});
