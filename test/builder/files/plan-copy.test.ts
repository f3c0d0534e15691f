import { chmodSync, linkSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  EMPTY_TREE,
  LocalTree,
  parseChmod,
  planCopy,
  selectFiles,
} from "../../../src/builder/files/index.ts";
import { createFilter } from "../../../src/builder/sources/ignore-file.ts";
import {
  bytes,
  contextOf,
  copy,
  MemoryTree,
  PLAN_OPTIONS,
  paths,
  show,
  temporaryFolder,
  writeFiles,
} from "./support.ts";

const FILES = { a: "A", "d/f": "F", "d/s/g": "G", "d/l": "-> f" };
const DIR = { kind: "dir" } as const;

describe("where a file goes", () => {
  test.each([
    ["/x", {}, ["x file 644 0:0"]],
    ["/x/", {}, ["x dir 755 0:0", "x/a file 644 0:0"]],
    ["/x/.", {}, ["x dir 755 0:0", "x/a file 644 0:0"]],
    ["/", {}, ["a file 644 0:0"]],
    ["/x/y/z", {}, ["x dir 755 0:0", "x/y dir 755 0:0", "x/y/z file 644 0:0"]],
    ["/x", { x: DIR }, ["x dir 755 0:0", "x/a file 644 0:0"]],
    ["/x", { x: { size: 9 } }, ["x file 644 0:0"]],
    ["/x/../y", {}, ["y file 644 0:0"]],
  ] as const)("to %s", async (to, onto, expected) => {
    const entries = await copy({ from: contextOf(FILES), sources: ["a"], to, onto: new MemoryTree(onto) });
    expect(show(entries)).toEqual(expected);
  });

  test("through symlinks of the destination, dangling ones too", async () => {
    const onto = new MemoryTree({
      "real/": {},
      real: { ...DIR, mode: 0o700, uid: 3 },
      ln: { kind: "symlink", link: bytes("/real") },
      none: { kind: "symlink", link: bytes("no/where") },
    });
    const put = async (to: string) => show(await copy({ from: contextOf(FILES), sources: ["a"], to, onto }));
    expect(await put("/ln/x")).toEqual(["real dir 700 3:0", "real/x file 644 0:0"]);
    expect(await put("/ln")).toEqual(["real dir 700 3:0", "real/a file 644 0:0"]);
    expect(await put("/none")).toEqual(["no dir 755 0:0", "no/where file 644 0:0"]);
    expect(await put("/none/x")).toEqual([
      "no dir 755 0:0",
      "no/where dir 755 0:0",
      "no/where/x file 644 0:0",
    ]);
  });

  test("not below a file", async () => {
    const onto = new MemoryTree({ x: {} });
    for (const to of ["/x/", "/x/y", "/x/y/"])
      await expect(copy({ from: contextOf(FILES), sources: ["a"], to, onto })).rejects.toMatchObject({
        code: "DESTINATION_CONFLICT",
        message: expect.stringContaining("mkdir /x: not a directory"),
      });
  });
});

describe("a folder", () => {
  test("gives its contents, links as they are", async () => {
    const entries = await copy({ from: contextOf(FILES), sources: ["d"], to: "/x" });
    expect(show(entries)).toEqual([
      "x dir 755 0:0",
      "x/f file 644 0:0",
      "x/l symlink 777 0:0 -> f",
      "x/s dir 755 0:0",
      "x/s/g file 644 0:0",
    ]);
  });

  test("passes its mode on to nothing but folders inside", async () => {
    const folder = writeFiles(temporaryFolder(), FILES);
    chmodSync(join(folder, "d"), 0o711);
    chmodSync(join(folder, "d/s"), 0o2750);
    const from = new LocalTree(folder);
    const fresh = await copy({ from, sources: ["d"], to: "/x" });
    expect(show(fresh)).toContain("x dir 755 0:0");
    expect(show(fresh)).toContain("x/s dir 2750 0:0");
    const onto = new MemoryTree({
      x: { ...DIR, mode: 0o1777, uid: 7, gid: 8, mtimeSeconds: 55 },
      "x/s": { ...DIR, uid: 7 },
      "x/old": {},
    });
    const merged = await copy({
      from,
      sources: ["d"],
      to: "/x",
      onto,
      operation: { owner: { uid: 5, gid: 6 } },
    });
    expect(show(merged)).toEqual([
      "x dir 1777 7:8",
      "x/f file 644 5:6",
      "x/l symlink 777 5:6 -> f",
      "x/s dir 2750 5:6",
      "x/s/g file 644 5:6",
    ]);
    expect(merged.find(({ path }) => path === "x")?.mtimeSeconds).toBe(55);
  });

  test("takes the place of no file, and a file that of no folder", async () => {
    const from = contextOf({ "p/n/f": "", "q/n": "" });
    await expect(
      copy({ from, sources: ["p"], to: "/x", onto: new MemoryTree({ "x/n": {} }) }),
    ).rejects.toThrow("cannot copy to non-directory: /x/n");
    await expect(copy({ from, sources: ["p"], to: "/x", onto: new MemoryTree({ x: {} }) })).rejects.toThrow(
      "cannot copy to non-directory: /x",
    );
    await expect(
      copy({ from, sources: ["q"], to: "/x", onto: new MemoryTree({ "x/n": DIR }) }),
    ).rejects.toThrow("cannot replace to directory /x/n with file");
  });

  test("does not follow symlinks of the destination inside itself", async () => {
    const onto = new MemoryTree({
      "x/s": { kind: "symlink", link: bytes("/elsewhere") },
      elsewhere: DIR,
    });
    await expect(copy({ from: contextOf(FILES), sources: ["d"], to: "/x", onto })).rejects.toThrow(
      "cannot copy to non-directory: /x/s",
    );
  });

  test("replaces links by files and files by links", async () => {
    const from = contextOf({ "q/m": "real", "q/n": "-> t" });
    const onto = new MemoryTree({ "x/m": { kind: "symlink", link: bytes("zzz") }, "x/n": {} });
    expect(show(await copy({ from, sources: ["q"], to: "/x", onto }))).toEqual([
      "x dir 755 0:0",
      "x/m file 644 0:0",
      "x/n symlink 777 0:0 -> t",
    ]);
  });
});

describe("several sources", () => {
  test("go into one folder, later ones over earlier ones", async () => {
    const from = contextOf({ a: "1", "d/a": "22", "d/b": "3" });
    const entries = await copy({ from, sources: ["a", "d"], to: "/x/" });
    expect(show(entries)).toEqual(["x dir 755 0:0", "x/a file 644 0:0", "x/b file 644 0:0"]);
    expect(entries.find(({ path }) => path === "x/a")?.size).toBe(2);
  });

  test("to a name that is no folder leave the last", async () => {
    const from = contextOf({ a1: "1", a2: "22" });
    const entries = await copy({ from, sources: ["a*"], to: "/x" });
    expect(entries).toMatchObject([{ path: "x", size: 2 }]);
  });

  test("and none make nothing, not even the destination", async () => {
    expect(await copy({ from: contextOf(FILES), sources: ["*.zip"], to: "/x/" })).toEqual([]);
  });
});

describe("flags", () => {
  test("--chown reaches the folders that are made, but not those that are there", async () => {
    const entries = await copy({
      from: contextOf(FILES),
      sources: ["a"],
      to: "/old/new/",
      onto: new MemoryTree({ old: DIR }),
      operation: { owner: { uid: 5, gid: 6 } },
    });
    expect(show(entries)).toEqual(["old dir 755 0:0", "old/new dir 755 5:6", "old/new/a file 644 5:6"]);
  });

  test("octal --chmod reaches folders that are made without special bits, symlinks not at all", async () => {
    const entries = await copy({
      from: contextOf(FILES),
      sources: ["d"],
      to: "/x",
      operation: { chmod: parseChmod("4700") },
    });
    expect(show(entries)).toEqual([
      "x dir 700 0:0",
      "x/f file 4700 0:0",
      "x/l symlink 777 0:0 -> f",
      "x/s dir 4700 0:0",
      "x/s/g file 4700 0:0",
    ]);
  });

  test("octal --chmod cannot make the folders on the way writable for others", async () => {
    const operation = { chmod: parseChmod("777") };
    const entries = await copy({ from: contextOf(FILES), sources: ["d"], to: "/x", operation });
    expect(show(entries)).toContain("x dir 755 0:0");
    expect(show(entries)).toContain("x/s dir 777 0:0");
  });

  test("symbolic --chmod leaves folders on the way at 0755", async () => {
    const operation = { chmod: parseChmod("go=") };
    const entries = await copy({ from: contextOf(FILES), sources: ["d"], to: "/x", operation });
    expect(show(entries)).toContain("x dir 755 0:0");
    expect(show(entries)).toContain("x/s dir 700 0:0");
  });

  test("--parents brings folders as they are, and to existing ones their mode alone", async () => {
    const folder = writeFiles(temporaryFolder(), { "x/y/f": "" });
    chmodSync(join(folder, "x"), 0o700);
    chmodSync(join(folder, "x/y"), 0o711);
    const onto = new MemoryTree({ "p/x": { ...DIR, uid: 9, gid: 9 } });
    const operation = { owner: { uid: 1, gid: 2 } };
    const entries = await copy({
      from: new LocalTree(folder),
      sources: ["x/y/f"],
      parents: true,
      to: "/p/",
      onto,
      operation,
    });
    expect(show(entries)).toEqual([
      "p dir 755 0:0",
      "p/x dir 700 9:9",
      "p/x/y dir 711 1:2",
      "p/x/y/f file 644 1:2",
    ]);
  });
});

describe("hard links", () => {
  test("stay within one source, and are apart between sources", async () => {
    const folder = writeFiles(temporaryFolder(), { "t/a": "x" });
    linkSync(join(folder, "t/a"), join(folder, "t/b"));
    linkSync(join(folder, "t/a"), join(folder, "c"));
    const from = new LocalTree(folder);
    expect(show(await copy({ from, sources: ["t"], to: "/x" }))).toEqual([
      "x dir 755 0:0",
      "x/a file 644 0:0",
      "x/b hardlink 644 0:0 -> x/a",
    ]);
    expect(show(await copy({ from, sources: ["t/a", "t/b", "c"], to: "/y/" }))).toEqual([
      "y dir 755 0:0",
      "y/a file 644 0:0",
      "y/b file 644 0:0",
      "y/c file 644 0:0",
    ]);
  });

  test("survive when a later source takes the place of the first name", async () => {
    const folder = writeFiles(temporaryFolder(), { "t/a": "x", a: "other" });
    linkSync(join(folder, "t/a"), join(folder, "t/b"));
    const entries = await copy({ from: new LocalTree(folder), sources: ["t", "a"], to: "/x/" });
    expect(entries).toMatchObject([
      { path: "x" },
      { path: "x/a", kind: "file", size: 5 },
      { path: "x/b", kind: "file", size: 1 },
    ]);
  });
});

describe("what else a tree may hold", () => {
  const special = new MemoryTree({
    "d/c": { kind: "char", major: 1, minor: 3, mode: 0o666 },
    "d/p": { kind: "fifo", mode: 0o600, uid: 4 },
    "d/s": { kind: "socket", mode: 0o755 },
  });

  test("devices and FIFOs are copied, a socket becomes an empty file", async () => {
    const entries = await copy({ from: special, sources: ["d"], to: "/x" });
    expect(entries).toMatchObject([
      { path: "x" },
      { path: "x/c", kind: "char", major: 1, minor: 3 },
      { path: "x/p", kind: "fifo", uid: 4 },
      { path: "x/s", kind: "file", size: 0, mode: 0o755, content: { kind: "bytes" } },
    ]);
  });

  test("a whiteout's name is a whiteout, except for what the layer has itself", async () => {
    const from = contextOf({
      "d/.wh.gone": "x",
      "d/.wh.foo": "",
      "d/foo": "",
      "d/.wh.sub": "",
      "d/sub/f": "",
    });
    expect(show(await copy({ from, sources: ["d"], to: "/x" }))).toEqual([
      "x dir 755 0:0",
      "x/foo file 644 0:0",
      "x/gone whiteout",
      "x/sub dir 755 0:0",
      "x/sub opaque",
      "x/sub/f file 644 0:0",
    ]);
  });

  test("capabilities come along from stages, never from a context", async () => {
    const capability = Uint8Array.of(1, 2, 3);
    const options = { ...PLAN_OPTIONS, readCapability: () => capability };
    const plan = async (tree: MemoryTree | LocalTree) => {
      const source = { kind: "tree", tree, treeName: "it", path: "f" } as const;
      const selection = await selectFiles([source], { exclude: [], createFilter });
      return (await planCopy({ destination: "/x", unpack: false }, selection, options)).entries;
    };
    expect((await plan(new MemoryTree({ f: {} })))[0]?.xattrs).toEqual(
      new Map([["security.capability", capability]]),
    );
    expect((await plan(contextOf({ f: "" })))[0]?.xattrs).toBeUndefined();
  });

  test("names that are no UTF-8 keep their bytes", async () => {
    const from = new MemoryTree({ "d/f\xff": {} });
    expect((await copy({ from, sources: ["d"], to: "/é" })).map(({ path }) => path)).toEqual([
      "\xc3\xa9",
      "\xc3\xa9/f\xff",
    ]);
  });
});

test("times: files keep theirs, new folders get the step's", async () => {
  const folder = writeFiles(temporaryFolder(), { "d/s/f": "" });
  for (const name of ["d/s/f", "d/s", "d"]) utimesSync(join(folder, name), 500, 500);
  const entries = await copy({ from: new LocalTree(folder), sources: ["d"], to: "/x/y" });
  expect(entries.map(({ path, mtimeSeconds }) => [path, mtimeSeconds])).toEqual([
    ["x", 1000],
    ["x/y", 1000],
    ["x/y/s", 500],
    ["x/y/s/f", 500],
  ]);
});

test("a single file from elsewhere is placed like any other", async () => {
  const selection = await selectFiles(
    [
      {
        kind: "file",
        name: bytes("EOF"),
        content: { kind: "bytes", bytes: Buffer.from("hi\n") },
        size: 3,
        mode: 0o600,
        mtimeSeconds: 9,
      },
    ],
    { exclude: [], createFilter },
  );
  const plan = (destination: string) =>
    planCopy({ destination, unpack: true }, selection, { ...PLAN_OPTIONS, destination: EMPTY_TREE });
  expect(show((await plan("/x")).entries)).toEqual(["x file 600 0:0"]);
  expect(paths((await plan("/x/")).entries)).toEqual(["x", "x/EOF"]);
});
