import { createHash } from "node:crypto";
import { chmodSync, linkSync, utimesSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  ContentDigestFile,
  type CopySource,
  type FileTree,
  type Fingerprint,
  type FingerprintOptions,
  fingerprintSelection,
  LocalTree,
  parseChmod,
  selectFiles,
} from "../../../src/builder/files/index.ts";
import { createFilter } from "../../../src/builder/sources/ignore-file.ts";
import { bytes, MemoryTree, temporaryFolder, writeFiles } from "./support.ts";

async function fingerprint(
  tree: FileTree,
  path = "/",
  options: Partial<FingerprintOptions> = {},
): Promise<Fingerprint> {
  const source: CopySource = { kind: "tree", tree, treeName: "it", path };
  const selection = await selectFiles([source], { exclude: [], createFilter });
  const contents = await ContentDigestFile.open(join(temporaryFolder(), "digests"), { now: Date.now });
  return fingerprintSelection(selection, { contents, ...options });
}

/** Digest of a folder made by `make`, and of the same folder after `change`. */
async function compare(
  change: (folder: string) => void,
  options: Partial<FingerprintOptions> = {},
): Promise<boolean> {
  const folder = writeFiles(temporaryFolder(), { a: "1", "d/b": "2", "d/l": "-> b", "e/": "" });
  const before = await fingerprint(new LocalTree(folder), "/", options);
  change(folder);
  const after = await fingerprint(new LocalTree(folder), "/", options);
  return before.digest === after.digest;
}

describe("the digest stays", () => {
  test("when times change", async () => {
    expect(await compare((folder) => utimesSync(join(folder, "a"), 5, 5))).toBe(true);
  });
  test("when the folder itself that is copied has another mode", async () => {
    expect(await compare((folder) => chmodSync(folder, 0o700))).toBe(true);
  });
  test("when a mode changes that the step overrides", async () => {
    const chmod = parseChmod("755");
    expect(await compare((folder) => chmodSync(join(folder, "a"), 0o600), { chmod })).toBe(true);
  });
  test("wherever the folder is", async () => {
    const folder = writeFiles(temporaryFolder(), { "one/f": "x", "two/f": "x" });
    const tree = new LocalTree(folder);
    expect((await fingerprint(tree, "one")).digest).toBe((await fingerprint(tree, "two")).digest);
  });
});

describe("the digest changes", () => {
  test.each([
    ["bytes", { a: "3" }],
    ["a file is new", { c: "" }],
    ["a folder is new", { "f/": "" }],
    ["a link is new", { l: "-> a" }],
  ] as const)("when %s", async (_, files) => {
    expect(await compare((folder) => void writeFiles(folder, files))).toBe(false);
  });
  test("when a mode changes, also under a symbolic --chmod", async () => {
    const change = (folder: string) => chmodSync(join(folder, "a"), 0o600);
    expect(await compare(change)).toBe(false);
    expect(await compare(change, { chmod: parseChmod("u+x") })).toBe(false);
  });
  test("when a file is named by itself instead of its folder", async () => {
    const tree = new LocalTree(writeFiles(temporaryFolder(), { "d/f": "x" }));
    expect((await fingerprint(tree, "d")).digest).not.toBe((await fingerprint(tree, "d/f")).digest);
  });
  test("when two files become one", async () => {
    const two = new MemoryTree({ a: { kind: "fifo" }, b: { kind: "fifo" } });
    const one = new MemoryTree({
      a: { kind: "fifo", hardlinkId: "1" },
      b: { kind: "fifo", hardlinkId: "1" },
    });
    expect((await fingerprint(two)).digest).not.toBe((await fingerprint(one)).digest);
  });
  test("with an owner, unless the step sets one", async () => {
    const trees = [1, 2].map((uid) => new MemoryTree({ p: { kind: "fifo", uid } }));
    const [a, b] = await Promise.all(trees.map((tree) => fingerprint(tree)));
    expect(a?.digest).not.toBe(b?.digest);
    const owner = { uid: 0, gid: 0 };
    const [c, d] = await Promise.all(trees.map((tree) => fingerprint(tree, "/", { owner })));
    expect(c?.digest).toBe(d?.digest);
  });
  test("with a device's numbers and a link's target", async () => {
    const digests = await Promise.all(
      [
        { kind: "char", major: 1, minor: 3 } as const,
        { kind: "char", major: 1, minor: 4 } as const,
        { kind: "block", major: 1, minor: 3 } as const,
        { kind: "symlink", link: bytes("x") } as const,
        { kind: "symlink", link: bytes("y") } as const,
      ].map(async (node) => (await fingerprint(new MemoryTree({ f: node }))).digest),
    );
    expect(new Set(digests).size).toBe(5);
  });
});

test("the ingredients say what it was made of, file by file", async () => {
  const folder = writeFiles(temporaryFolder(), { "a é": "1", l: "-> a é" });
  linkSync(join(folder, "a é"), join(folder, "b"));
  const { ingredients, contentDigests } = await fingerprint(new LocalTree(folder));
  const digest = createHash("sha256").update("1").digest("hex");
  expect(ingredients()).toEqual([
    { source: 0, path: "", kind: "contents" },
    { source: 0, path: "a é", kind: "file", mode: "644", owner: "0:0", digest },
    { source: 0, path: "b", kind: "hardlink", mode: "644", owner: "0:0", link: "a é" },
    { source: 0, path: "l", kind: "symlink", owner: "0:0", link: "a é" },
  ]);
  expect([...contentDigests()]).toEqual([[bytes(join(folder, "a é")), digest]]);
});

test("no two different lists of names read the same", async () => {
  const name = fc.stringMatching(/^[a-z\n ]{1,4}$/);
  const names = fc.uniqueArray(name, { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(names, names, async (some, others) => {
      const treeOf = (list: readonly string[]) =>
        new MemoryTree(Object.fromEntries(list.map((path) => [path, { kind: "fifo" as const }])));
      const same = JSON.stringify([...some].sort()) === JSON.stringify([...others].sort());
      const [a, b] = await Promise.all([fingerprint(treeOf(some)), fingerprint(treeOf(others))]);
      expect(a.digest === b.digest).toBe(same);
    }),
    { numRuns: 50 },
  );
});
