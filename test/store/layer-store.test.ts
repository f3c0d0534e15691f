import { execFileSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { digestOf } from "../../src/oci/digest.ts";
import { MEDIA_TYPES } from "../../src/oci/media-types.ts";
import { Store } from "../../src/store/index.ts";
import { collect } from "../support/collect.ts";
import { buildLayer, putBlobLayer, useLayerFolders } from "./layer-folders.ts";
import { describeBytes, makeScratch, noise, opener, startProgram, tarOf } from "./support.ts";

const scratch = makeScratch();
const here = useLayerFolders(scratch);

describe("a layer that was pulled", () => {
  test("is unpacked when asked for, once", async () => {
    await using store = await Store.open(here.root);
    const tar = tarOf(here.tree);
    const { diffId, blob } = await putBlobLayer(store, tar);
    expect(await store.layers.info(diffId)).toMatchObject({
      hasSnapshot: false,
      hasTar: false,
      hasBlob: true,
      blob: { digest: blob },
      origins: ["docker.io/library/base"],
    });
    const [path, same] = await Promise.all([
      store.layers.ensureSnapshot(diffId),
      store.layers.ensureSnapshot(diffId),
    ]);
    expect(same).toBe(path);
    expect(readFileSync(join(path, "readme"), "utf8")).toContain("Read me.");
    expect(lstatSync(join(path, "bin/tool")).mode & 0o7777).toBe(0o755);
    expect(await store.layers.info(diffId)).toMatchObject({ hasSnapshot: true, tarSize: tar.byteLength });
    const inode = statSync(path).ino;
    expect(statSync(await store.layers.ensureSnapshot(diffId)).ino).toBe(inode);
  });

  test("keeps its blob: pushing it again pushes the same digest", async () => {
    await using store = await Store.open(here.root);
    const tar = tarOf(here.tree);
    const { diffId, blob } = await putBlobLayer(store, tar);
    await store.layers.ensureSnapshot(diffId);
    expect((await store.layers.ensureBlob(diffId)).digest).toBe(blob);
    expect((await store.layers.ensureBlob(diffId, { compression: "gzip", level: 1 })).digest).toBe(blob);
    const plain = await store.layers.ensureBlob(diffId, { compression: "none" });
    expect(plain).toEqual({ mediaType: MEDIA_TYPES.ociLayer, digest: diffId, size: tar.byteLength });
    expect(await store.layers.diffIdOf(blob)).toBe(diffId);
    expect(await store.layers.diffIdOf(diffId)).toBe(diffId);
    expect((await collect(await store.layers.openTar(diffId))).equals(tar)).toBe(true);
  });

  test("whose bytes are not here is LAYER_NOT_FOUND, with where to fetch them", async () => {
    await using store = await Store.open(here.root);
    const { diffId, blob } = await putBlobLayer(store, tarOf(here.tree));
    await store.blobs.removeBlob(blob);
    const notFound = { code: "LAYER_NOT_FOUND", hint: "It can be fetched from docker.io/library/base" };
    await expect(store.layers.ensureSnapshot(diffId)).rejects.toMatchObject(notFound);
    await expect(store.layers.openTar(diffId)).rejects.toMatchObject(notFound);
    await expect(store.layers.ensureBlob(diffId)).rejects.toMatchObject(notFound);
    await expect(store.layers.ensureSnapshot(digestOf("nothing"))).rejects.toMatchObject({
      code: "LAYER_NOT_FOUND",
      hint: undefined,
    });
  });

  test("whose config lies about its diffID is LAYER_CORRUPT, and leaves nothing behind", async () => {
    await using store = await Store.open(here.root);
    const compressed = gzipSync(tarOf(here.tree));
    const descriptor = { ...describeBytes(compressed), mediaType: MEDIA_TYPES.ociLayerGzip };
    await store.blobs.writeBlob(descriptor, opener(compressed));
    const lie = digestOf("a lie");
    await store.layers.noteBlob(lie, descriptor);
    await expect(store.layers.ensureSnapshot(lie)).rejects.toMatchObject({ code: "LAYER_CORRUPT" });
    expect(await store.layers.info(lie)).toMatchObject({ hasSnapshot: false });
    expect(await store.blobs.hasBlob(descriptor)).toBe(true); // the blob itself is right
    await expect(store.layers.openTar(lie).then(collect)).rejects.toMatchObject({ code: "LAYER_CORRUPT" });
  });

  test.each([
    ["cut off", (path: string) => truncateSync(path, 5000)],
    ["altered", (path: string) => overwrite(path, 2000)],
    ["zeroed", (path: string) => writeFileSync(path, Buffer.alloc(statSync(path).size))],
  ])("whose blob the disk has %s counts as not here, and can be fetched again", async (_, damage) => {
    await using store = await Store.open(here.root);
    const tar = tarOf(here.tree);
    const { diffId, blob } = await putBlobLayer(store, tar);
    damage(store.blobs.blobPath(blob));
    await expect(store.layers.ensureSnapshot(diffId)).rejects.toMatchObject({ code: "LAYER_NOT_FOUND" });
    await putBlobLayer(store, tar);
    expect(existsSync(join(await store.layers.ensureSnapshot(diffId), "readme"))).toBe(true);
  });

  test("is unpacked once also by several processes", async () => {
    await using store = await Store.open(here.root);
    const { diffId } = await putBlobLayer(store, tarOf(here.tree));
    const programs = [1, 2, 3].map(() => startProgram(scratch, "unpack", [here.root, diffId]));
    await expect(Promise.all(programs.map(({ ended }) => ended))).resolves.toEqual([0, 0, 0]);
    const inodes = new Set(programs.map(({ lines }) => lines[0]));
    expect(inodes).toEqual(new Set([`unpacked ${statSync(await store.layers.ensureSnapshot(diffId)).ino}`]));
  });

  test("unpacking stops with the signal's reason and leaves nothing", async () => {
    await using store = await Store.open(here.root);
    const { diffId } = await putBlobLayer(store, tarOf(here.tree));
    const controller = new AbortController();
    const reason = new Error("enough");
    const unpacking = store.layers.ensureSnapshot(diffId, { signal: controller.signal });
    controller.abort(reason);
    await expect(unpacking).rejects.toBe(reason);
    expect(await store.layers.info(diffId)).toMatchObject({ hasSnapshot: false });
    expect(existsSync(await store.layers.ensureSnapshot(diffId))).toBe(true);
  });

  test("one waiter's abort does not disturb the other's", async () => {
    await using store = await Store.open(here.root);
    const { diffId } = await putBlobLayer(store, tarOf(here.tree));
    const controller = new AbortController();
    const reason = new Error("enough");
    const left = store.layers.ensureSnapshot(diffId, { signal: controller.signal });
    const stayed = store.layers.ensureSnapshot(diffId);
    controller.abort(reason);
    await expect(left).rejects.toBe(reason);
    expect(existsSync(join(await stayed, "readme"))).toBe(true);
  });
});

describe("a layer that was built", () => {
  test("exists as its snapshot, and its blob is made when asked for", async () => {
    await using store = await Store.open(here.root);
    const { diffId, tarSize } = await buildLayer(store);
    expect(await store.layers.info(diffId)).toEqual({
      diffId,
      tarSize,
      treeId: expect.any(String),
      hasSnapshot: true,
      hasTar: false,
      hasBlob: false,
    });
    const path = await store.layers.ensureSnapshot(diffId);
    expect(readFileSync(join(path, "readme"), "utf8")).toBe("built here\n");
    const tar = await collect(await store.layers.openTar(diffId));
    expect(digestOf(tar)).toBe(diffId);
    const [blob, same] = await Promise.all([
      store.layers.ensureBlob(diffId),
      store.layers.ensureBlob(diffId),
    ]);
    expect(same).toEqual(blob);
    expect(blob.mediaType).toBe(MEDIA_TYPES.ociLayerGzip);
    expect(gunzipSync(await store.blobs.readBlob(blob.digest)).equals(tar)).toBe(true);
    expect(await store.layers.info(diffId)).toMatchObject({ hasBlob: true, blob });
  });

  test("has one blob for each compression and level asked for", async () => {
    await using store = await Store.open(here.root);
    const pending = await store.layers.prepareTar();
    await pending.write(readFileSync(process.execPath).subarray(0, 3_000_000));
    const { diffId } = await pending.commit();
    const usual = await store.layers.ensureBlob(diffId);
    const fast = await store.layers.ensureBlob(diffId, { compression: "gzip", level: 1 });
    expect(fast.size).toBeGreaterThan(usual.size);
    const plain = await store.layers.ensureBlob(diffId, { compression: "none" });
    expect(plain.digest).toBe(diffId);
    expect((await store.layers.ensureBlob(diffId, { level: 1 })).digest).toBe(fast.digest);
    expect((await store.layers.ensureBlob(diffId, { compression: "gzip" })).digest).toBe(usual.digest);
    expect((await store.layers.ensureBlob(diffId)).digest).toBe(usual.digest);
  });

  test("made twice is stored once", async () => {
    await using store = await Store.open(here.root);
    const first = await buildLayer(store);
    const path = await store.layers.ensureSnapshot(first.diffId);
    const inode = statSync(path).ino;
    // The same bytes at another time: mtimes are the file's, so they are set alike.
    await using pending = await store.layers.prepareSnapshot();
    execFileSync("cp", ["-a", `${path}/.`, pending.upper]);
    expect(await pending.commit(first)).toBe(path);
    expect(statSync(path).ino).toBe(inode);
  });

  test("that is not committed leaves nothing, nor does its work folder", async () => {
    const store = await Store.open(here.root);
    {
      await using pending = await store.layers.prepareSnapshot();
      expect(statSync(pending.upper).mode & 0o7777).toBe(0o755);
      mkdirSync(join(pending.work, "work"), { mode: 0 });
      writeFileSync(join(pending.upper, "x"), "");
    }
    const { diffId } = await buildLayer(store);
    expect(readdirSync(join(here.root, "snapshots", diffId.slice(7))).sort()).toEqual(["fs", "layer.json"]);
    await store.close();
    expect(readdirSync(join(here.root, "tmp"))).toEqual([]);
  });

  test("a tar written chunk by chunk gets the diffID of its bytes", async () => {
    await using store = await Store.open(here.root);
    const tar = tarOf(here.tree);
    await using pending = await store.layers.prepareTar();
    for (let at = 0; at < tar.byteLength; at += 77_777) await pending.write(tar.subarray(at, at + 77_777));
    const treeId = digestOf("tree");
    expect(await pending.commit({ treeId })).toEqual({ diffId: digestOf(tar), tarSize: tar.byteLength });
    const { diffId } = { diffId: digestOf(tar) };
    expect(await store.layers.info(diffId)).toMatchObject({ hasTar: true, hasSnapshot: false, treeId });
    expect((await collect(await store.layers.openTar(diffId))).equals(tar)).toBe(true);
    expect(existsSync(join(await store.layers.ensureSnapshot(diffId), "bin/tool"))).toBe(true);
    await expect(async () => pending.write(tar)).rejects.toThrow(TypeError);
  });

  test("a tar that is no layer is LAYER_CORRUPT, but stays: its bytes are what was stored", async () => {
    await using store = await Store.open(here.root);
    const pending = await store.layers.prepareTar();
    await pending.write(noise(100_000, "no tar"));
    const { diffId } = await pending.commit();
    await expect(store.layers.ensureSnapshot(diffId)).rejects.toMatchObject({ code: "LAYER_CORRUPT" });
    expect(await store.layers.info(diffId)).toMatchObject({ hasTar: true, hasSnapshot: false });
  });

  test("whose tar the disk has altered is made from another form, or is missing", async () => {
    await using store = await Store.open(here.root);
    const pending = await store.layers.prepareTar();
    const tar = tarOf(here.tree);
    await pending.write(tar);
    const { diffId } = await pending.commit();
    overwrite(join(here.root, "snapshots", diffId.slice(7), "layer.tar"), 3000);
    await expect(store.layers.openTar(diffId).then(collect)).rejects.toMatchObject({ code: "LAYER_CORRUPT" });
    await expect(store.layers.ensureBlob(diffId)).rejects.toMatchObject({ code: "LAYER_CORRUPT" });
    await expect(store.layers.ensureSnapshot(diffId)).rejects.toMatchObject({ code: "LAYER_NOT_FOUND" });
    await putBlobLayer(store, tar);
    expect(existsSync(await store.layers.ensureSnapshot(diffId))).toBe(true);
  });
});

function overwrite(path: string, at: number): void {
  const content = readFileSync(path);
  content.fill(0x55, at, at + 64);
  writeFileSync(path, content);
}
