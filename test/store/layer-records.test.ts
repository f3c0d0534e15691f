import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Store } from "../../src/store/index.ts";
import { buildLayer, putBlobLayer, useLayerFolders } from "./layer-folders.ts";
import { tarOf } from "./support.ts";

const here = useLayerFolders();

describe("records", () => {
  test.each(["", "{", "[]", '{"diffId":"sha256:1"}', "\0".repeat(50)])(
    "a damaged layer.json (%j) is no layer, and is replaced",
    async (text) => {
      await using store = await Store.open(here.root);
      const tar = tarOf(here.tree);
      const { diffId } = await putBlobLayer(store, tar);
      await store.layers.ensureSnapshot(diffId);
      writeFileSync(join(here.root, "snapshots", diffId.slice(7), "layer.json"), text);
      expect(await store.layers.info(diffId)).toBeUndefined();
      await putBlobLayer(store, tar);
      expect(await store.layers.info(diffId)).toMatchObject({ hasBlob: true, hasSnapshot: false });
      expect(existsSync(join(await store.layers.ensureSnapshot(diffId), "readme"))).toBe(true);
    },
  );

  test("a snapshot that somebody removed by hand is made again", async () => {
    await using store = await Store.open(here.root);
    const { diffId } = await putBlobLayer(store, tarOf(here.tree));
    const path = await store.layers.ensureSnapshot(diffId);
    rmSync(path, { recursive: true });
    expect(await store.layers.info(diffId)).toMatchObject({ hasSnapshot: false });
    expect(existsSync(join(await store.layers.ensureSnapshot(diffId), "readme"))).toBe(true);
  });

  test("a half-made snapshot that a killed process left beside the record is not used", async () => {
    await using store = await Store.open(here.root);
    const { diffId } = await putBlobLayer(store, tarOf(here.tree));
    const left = join(here.root, "snapshots", diffId.slice(7), "fs");
    mkdirSync(left);
    writeFileSync(join(left, "half"), "");
    const path = await store.layers.ensureSnapshot(diffId);
    expect(readdirSync(path).sort()).toEqual(["bin", "readme"]);
  });

  test("origins gather, and equal notes write nothing", async () => {
    await using store = await Store.open(here.root);
    const tar = tarOf(here.tree);
    const { diffId } = await putBlobLayer(store, tar);
    const path = join(here.root, "snapshots", diffId.slice(7), "layer.json");
    const inode = statSync(path).ino;
    await putBlobLayer(store, tar);
    expect(statSync(path).ino).toBe(inode);
    const info = await store.layers.info(diffId);
    if (info?.blob === undefined) throw new Error("no blob");
    await store.layers.noteBlob(diffId, info.blob, "ghcr.io/mirror/base");
    expect((await store.layers.info(diffId))?.origins).toEqual([
      "docker.io/library/base",
      "ghcr.io/mirror/base",
    ]);
  });

  test("notes by many at once lose none", async () => {
    await using store = await Store.open(here.root);
    await using other = await Store.open(here.root);
    const { diffId } = await putBlobLayer(store, tarOf(here.tree));
    const { blob } = (await store.layers.info(diffId)) ?? {};
    if (blob === undefined) throw new Error("no blob");
    const names = Array.from({ length: 20 }, (_, i) => `example.com/r${i}`);
    await Promise.all(
      names.map((name, i) => (i % 2 === 0 ? store : other).layers.noteBlob(diffId, blob, name)),
    );
    expect((await store.layers.info(diffId))?.origins).toHaveLength(21);
  });

  test("list() tells of every layer; remove() forgets one, unless somebody uses it", async () => {
    await using user = await Store.open(here.root);
    const { diffId } = await buildLayer(user);
    const { diffId: other } = await putBlobLayer(user, tarOf(here.tree));
    const listed = async (): Promise<readonly string[]> => {
      const found: string[] = [];
      for await (const info of collector.layers.list()) found.push(info.diffId);
      return found.sort();
    };
    await using collector = await Store.open(here.root);
    expect(await listed()).toEqual([diffId, other].sort());
    expect(await collector.layers.remove(other)).toBe(true);
    expect(await collector.layers.remove(other)).toBe(false);
    expect(await collector.layers.remove(diffId)).toBe(false); // who made it may be about to use it
    await user.close();
    expect(await collector.layers.hold(diffId)).toBe(true);
    await using second = await Store.open(here.root);
    expect(await second.layers.remove(diffId)).toBe(false);
    await collector.close();
    expect(await second.layers.remove(diffId)).toBe(true);
    expect(await second.layers.hold(diffId)).toBe(false);
    expect(await second.layers.info(diffId)).toBeUndefined();
  });
});
