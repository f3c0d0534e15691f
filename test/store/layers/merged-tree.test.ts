import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ByteString } from "../../../src/oci/layer-entry.ts";
import { MergedTree } from "../../../src/store/layers/index.ts";
import { makeFolder, makeTemporaryFolder, type Spec, write } from "./support.ts";

/** Writes each layer, given bottom first, and looks at them together. */
async function stack(...layers: readonly (readonly Spec[])[]): Promise<MergedTree> {
  const folders: string[] = [];
  for (const specs of layers) folders.unshift((await write(specs)).snapshot);
  return new MergedTree(folders);
}

const at = (path: string) => path as ByteString;

const BASE: readonly Spec[] = [
  { path: "bin", kind: "symlink", link: "usr/bin" },
  { path: "etc", kind: "dir", mode: 0o755 },
  { path: "etc/a", content: "a" },
  { path: "etc/b", content: "b" },
  { path: "usr", kind: "dir", mode: 0o755 },
  { path: "usr/bin", kind: "dir", mode: 0o755 },
  { path: "usr/bin/sh", content: "sh", mode: 0o755 },
];

describe("MergedTree", () => {
  test("of one layer shows its files", async () => {
    const tree = await stack(BASE);
    expect(tree.readdir(at(""))).toEqual(["bin", "etc", "usr"]);
    expect(tree.readdir(at("etc"))).toEqual(["a", "b"]);
    expect(tree.lstat(at("usr/bin/sh"))).toMatchObject({
      kind: "file",
      mode: 0o755,
      size: 2,
      mtimeSeconds: 1_700_000_000,
    });
    expect(tree.lstat(at("bin"))).toMatchObject({ kind: "symlink", link: "usr/bin" });
  });

  test("does not follow symlinks, and finds nothing below a file", async () => {
    const tree = await stack(BASE);
    expect(tree.lstat(at("bin/sh"))).toBeUndefined();
    expect(tree.readdir(at("bin"))).toEqual([]);
    expect(tree.lstat(at("etc/a/x"))).toBeUndefined();
    expect(tree.lstat(at("etc/a/x/y"))).toBeUndefined();
    expect(tree.readdir(at("etc/a"))).toEqual([]);
    expect(tree.readdir(at("none/at/all"))).toEqual([]);
  });

  test("a layer adds to, replaces and hides what is below it", async () => {
    const tree = await stack(BASE, [
      { path: "etc", kind: "dir", mode: 0o700 },
      { path: "etc/a", kind: "whiteout" },
      { path: "etc/b", content: "changed" },
      { path: "etc/c", content: "c" },
      { path: "none", kind: "whiteout" },
    ]);
    expect(tree.readdir(at(""))).toEqual(["bin", "etc", "usr"]);
    expect(tree.readdir(at("etc"))).toEqual(["b", "c"]);
    expect(tree.lstat(at("etc"))).toMatchObject({ mode: 0o700 });
    expect(tree.lstat(at("etc/a"))).toBeUndefined();
    expect(tree.lstat(at("etc/b"))).toMatchObject({ size: 7 });
  });

  test("an opaque folder hides all that is below, also when the folder comes again above it", async () => {
    const opaque: readonly Spec[] = [
      { path: "etc", kind: "dir" },
      { path: "etc", kind: "opaque" },
      { path: "etc/n", content: "n" },
    ];
    expect((await stack(BASE, opaque)).readdir(at("etc"))).toEqual(["n"]);
    const tree = await stack(BASE, opaque, [{ path: "etc", kind: "dir" }, { path: "etc/top" }]);
    expect(tree.readdir(at("etc"))).toEqual(["n", "top"]);
    expect(tree.lstat(at("etc/a"))).toBeUndefined();
  });

  test("a file, symlink or whiteout between two folders hides the lower one", async () => {
    const again: readonly Spec[] = [{ path: "etc", kind: "dir" }, { path: "etc/new" }];
    for (const between of [
      { path: "etc" },
      { path: "etc", kind: "symlink", link: "usr" },
      { path: "etc", kind: "whiteout" },
    ] as const) {
      expect((await stack(BASE, [between], again)).readdir(at("etc"))).toEqual(["new"]);
    }
  });

  test("a root that is opaque hides all layers below", async () => {
    const tree = await stack(BASE, [{ path: "", kind: "opaque" }, { path: "only" }], [{ path: "top" }]);
    expect(tree.readdir(at(""))).toEqual(["only", "top"]);
    expect(tree.lstat(at("etc"))).toBeUndefined();
  });

  test("the root is what the topmost layer with an entry for it says", async () => {
    expect((await stack(BASE)).lstat(at(""))).toMatchObject({ kind: "dir", mode: 0o755, uid: 0, gid: 0 });
    const odd: Spec = { path: "", kind: "dir", mode: 0o711, mtimeSeconds: 99 };
    expect((await stack(BASE, [odd], [{ path: "x" }])).lstat(at(""))).toMatchObject({
      mode: 0o711,
      mtimeSeconds: 99,
    });
  });

  test("without layers there is an empty root", () => {
    const tree = new MergedTree([]);
    expect(tree.lstat(at(""))).toMatchObject({ kind: "dir", mode: 0o755 });
    expect(tree.readdir(at(""))).toEqual([]);
    expect(tree.lstat(at("a"))).toBeUndefined();
  });

  test("names of one file share an id, other files have none", async () => {
    const tree = await stack([
      { path: "a", content: "1" },
      { path: "b", kind: "hardlink", link: "a" },
      { path: "c", content: "1" },
    ]);
    const id = tree.lstat(at("a"))?.hardlinkId;
    expect(id).toBeDefined();
    expect(tree.lstat(at("b"))?.hardlinkId).toBe(id);
    expect(tree.lstat(at("c"))).not.toHaveProperty("hardlinkId");
  });

  test("names are bytes, and sorted as bytes", async () => {
    const folder = makeFolder();
    for (const name of [[0xff], [0x61], [0xc3, 0xa4], [0x5a]]) {
      writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name)]), "x");
    }
    const tree = new MergedTree([folder]);
    expect(tree.readdir(at(""))).toEqual(["Z", "a", "\xc3\xa4", "\xff"]);
    expect(tree.lstat(at("\xff"))).toMatchObject({ kind: "file", hostPath: `${folder}/\xff` });
  });

  test("layers may lie at a path that is no ASCII", async () => {
    const folder = join(makeTemporaryFolder(), "größe");
    mkdirSync(join(folder, "d"), { recursive: true });
    writeFileSync(join(folder, "d/f"), "x");
    expect(new MergedTree([folder]).lstat(at("d/f"))).toMatchObject({ size: 1 });
  });

  test("127 layers, each with a change in the same folder", async () => {
    const layers: Spec[][] = [[{ path: "d", kind: "dir" }, { path: "d/f0" }]];
    for (let i = 1; i < 127; i++) {
      layers.push([
        { path: "d", kind: "dir", mode: 0o700 + (i % 8) },
        { path: `d/f${i}` },
        { path: `d/f${i - 1}`, kind: "whiteout" },
      ]);
    }
    const tree = await stack(...layers);
    expect(tree.readdir(at("d"))).toEqual(["f126"]);
    expect(tree.lstat(at("d"))).toMatchObject({ mode: 0o700 + (126 % 8) });
  });
});
