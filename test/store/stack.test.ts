import { execFileSync } from "node:child_process";
import { chmodSync, lstatSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import type { Digest } from "../../src/oci/digest.ts";
import { Store } from "../../src/store/index.ts";
import { makeScratch } from "./support.ts";

const scratch = makeScratch();
let count = 0;
let root: string;
let tree: string;

beforeEach(() => {
  root = join(scratch, `store-${count}`);
  tree = join(scratch, `tree-${count++}`);
  mkdirSync(tree);
});

/** A layer of exactly these paths of `tree`, without entries for the folders above them. */
async function putLayer(store: Store, ...paths: readonly string[]): Promise<Digest> {
  const tar = execFileSync("tar", ["-c", "--no-recursion", "--owner=0", "--group=0", "-C", tree, ...paths]);
  const pending = await store.layers.prepareTar();
  await pending.write(tar);
  return (await pending.commit()).diffId;
}

test("ensureStack() gives the folders in the order of the layers", async () => {
  await using store = await Store.open(root);
  const layers: Digest[] = [];
  for (const name of ["a", "b", "c"]) {
    writeFileSync(join(tree, name), name);
    layers.push(await putLayer(store, name));
  }
  const paths = await store.layers.ensureStack(layers);
  expect(paths.map((path, i) => readFileSync(join(path, "abc"[i] as string), "utf8"))).toEqual([
    "a",
    "b",
    "c",
  ]);
  expect(paths).toEqual(await Promise.all(layers.map((diffId) => store.layers.ensureSnapshot(diffId))));
  expect(await store.layers.ensureStack([])).toEqual([]);
});

test("a folder that a layer does not have an entry for looks as the layers below have it", async () => {
  await using store = await Store.open(root);
  mkdirSync(join(tree, "tmp"));
  chmodSync(join(tree, "tmp"), 0o1777);
  const base = await putLayer(store, "tmp");
  writeFileSync(join(tree, "tmp/file"), "x");
  const top = await putLayer(store, "tmp/file");

  const alone = await store.layers.ensureSnapshot(top);
  expect(lstatSync(join(alone, "tmp")).mode & 0o7777).toBe(0o755);
  const [, path] = await store.layers.ensureStack([base, top]);
  expect(lstatSync(join(path as string, "tmp")).mode & 0o7777).toBe(0o1777);
  expect(readFileSync(join(path as string, "tmp/file"), "utf8")).toBe("x");

  const inode = statSync(path as string).ino;
  expect((await store.layers.ensureStack([base, top]))[1]).toBe(path);
  expect(statSync(path as string).ino).toBe(inode);
  expect(await store.layers.ensureStack([top])).toEqual([alone]);
});

test("a folder that looks like an implied one anyway needs no folder of its own", async () => {
  await using store = await Store.open(root);
  mkdirSync(join(tree, "etc"), { mode: 0o755 });
  const base = await putLayer(store, "etc");
  writeFileSync(join(tree, "etc/file"), "x");
  const top = await putLayer(store, "etc/file");
  expect((await store.layers.ensureStack([base, top]))[1]).toBe(await store.layers.ensureSnapshot(top));
});

test("a hard link to a lower layer's file becomes a copy of it", async () => {
  await using store = await Store.open(root);
  writeFileSync(join(tree, "file"), "linked");
  const base = await putLayer(store, "file");
  const tar = execFileSync(
    "bash",
    ["-c", "ln file link && tar -c --owner=0 --group=0 file link | tail -c +$((512 * 2 + 1))"],
    {
      cwd: tree,
    },
  );
  const pending = await store.layers.prepareTar();
  await pending.write(tar); // without its first entry, the file: just the link to it
  const { diffId } = await pending.commit();
  await expect(store.layers.ensureSnapshot(diffId)).rejects.toMatchObject({ code: "LINK_TARGET_MISSING" });
  const [, path] = await store.layers.ensureStack([base, diffId]);
  expect(readFileSync(join(path as string, "link"), "utf8")).toBe("linked");
});

test("when one layer can't be had the others are stopped, and the first error is told", async () => {
  await using store = await Store.open(root);
  writeFileSync(join(tree, "a"), "a");
  const there = await putLayer(store, "a");
  const missing = `sha256:${"1".repeat(64)}` as Digest;
  await expect(store.layers.ensureStack([there, missing])).rejects.toMatchObject({ code: "LAYER_NOT_FOUND" });
  const reason = new Error("enough");
  await expect(store.layers.ensureStack([there], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});
