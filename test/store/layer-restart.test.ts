import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Machine, Store } from "../../src/store/index.ts";
import { buildLayer, putBlobLayer, useLayerFolders } from "./layer-folders.ts";
import { readJson, tarOf } from "./support.ts";

const here = useLayerFolders();

describe("after a restart of the machine", () => {
  test("a built layer is checked once before use", async () => {
    const { diffId } = await inBoot("one", (store) => buildLayer(store));
    const recordPath = join(here.root, "snapshots", diffId.slice(7), "layer.json");
    expect(readJson(recordPath)).toMatchObject({ snapshot: { madeBy: "build", writtenInBoot: "one" } });
    await inBoot("two", async (store) => {
      expect(await store.layers.info(diffId)).toMatchObject({ hasSnapshot: true });
      expect(existsSync(join(await store.layers.ensureSnapshot(diffId), "readme"))).toBe(true);
    });
    expect(readJson(recordPath)).toMatchObject({ snapshot: { madeBy: "build" } });
    expect(readJson(recordPath)).not.toHaveProperty("snapshot.writtenInBoot");
  });

  test("a built layer that lost bytes is found out, and is missing from then on", async () => {
    const { diffId } = await inBoot("one", (store) => buildLayer(store));
    writeFileSync(join(here.root, "snapshots", diffId.slice(7), "fs/readme"), "");
    await inBoot("two", async (store) => {
      await expect(store.layers.ensureBlob(diffId)).rejects.toMatchObject({ code: "LAYER_NOT_FOUND" });
      expect(await store.layers.info(diffId)).toMatchObject({ hasSnapshot: false });
    });
  });

  test("an unpacked layer is unpacked again from its blob", async () => {
    const { diffId } = await inBoot("one", async (store) => {
      const layer = await putBlobLayer(store, tarOf(here.tree));
      await store.layers.ensureSnapshot(layer.diffId);
      return layer;
    });
    writeFileSync(join(here.root, "snapshots", diffId.slice(7), "fs/readme"), "");
    await inBoot("two", async (store) => {
      const path = await store.layers.ensureSnapshot(diffId);
      expect(readFileSync(join(path, "readme"), "utf8")).toContain("Read me.");
    });
  });

  test("what was in use long enough before is not checked", async () => {
    const { diffId } = await inBoot("one", (store) => buildLayer(store));
    const recordPath = join(here.root, "snapshots", diffId.slice(7), "layer.json");
    const isChecked = (): boolean => JSON.stringify(readJson(recordPath)).includes("writtenInBoot");
    await inBoot("one", (store) => store.layers.info(diffId), { now: () => Date.now() + 30_000 });
    expect(isChecked()).toBe(true);
    const busy = { now: () => Date.now() + 90_000, readDirtyKib: () => 1_000_000 };
    await inBoot("one", (store) => store.layers.info(diffId), busy);
    expect(isChecked()).toBe(true);
    await inBoot("one", (store) => store.layers.info(diffId), { now: () => Date.now() + 90_000 });
    expect(isChecked()).toBe(false);
    expect(readJson(recordPath)).toMatchObject({ snapshot: { madeBy: "build" } });
  });

  async function inBoot<T>(
    bootId: string,
    work: (store: Store) => Promise<T>,
    machine: Partial<Machine> = {},
  ): Promise<T> {
    const defaults: Machine = { bootId, readDirtyKib: () => 0, now: () => Date.now() };
    await using store = await Store.open(here.root, { machine: { ...defaults, ...machine } });
    return await work(store);
  }
});
