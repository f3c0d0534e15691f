import { execFileSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { beforeEach, describe, expect, test } from "vitest";
import { type Digest, digestOf } from "../../src/oci/digest.ts";
import { MEDIA_TYPES } from "../../src/oci/media-types.ts";
import { type Machine, Store } from "../../src/store/index.ts";
import { scanUpper, writeLayer } from "../../src/store/layers/index.ts";
import { collect } from "../support/collect.ts";
import { describeBytes, makeScratch, noise, opener, readJson, startProgram, tarOf } from "./support.ts";

const scratch = makeScratch();
let count = 0;
let root: string;
let tree: string;

beforeEach(() => {
  root = join(scratch, `store-${count}`);
  tree = join(scratch, `tree-${count++}`);
  mkdirSync(join(tree, "bin"), { recursive: true });
  writeFileSync(join(tree, "bin/tool"), noise(300_000, "tool"), { mode: 0o755 });
  writeFileSync(join(tree, "readme"), "Read me.\n".repeat(1000));
});

/** Stores a foreign layer as a pull does: its gzip blob, and which layer it is. */
async function putBlobLayer(
  store: Store,
  tar: Buffer,
): Promise<{ readonly diffId: Digest; readonly blob: Digest }> {
  const compressed = gzipSync(tar, { level: 9 });
  const descriptor = { ...describeBytes(compressed), mediaType: MEDIA_TYPES.dockerLayerGzip };
  await store.blobs.writeBlob(descriptor, opener(compressed));
  const diffId = digestOf(tar);
  await store.layers.noteBlob(diffId, descriptor, "docker.io/library/base");
  return { diffId, blob: descriptor.digest };
}

/** Stores a layer as a build does: files in a prepared snapshot, packed. */
async function buildLayer(
  store: Store,
  file = "readme",
): Promise<{ readonly diffId: Digest; readonly tarSize: number }> {
  await using pending = await store.layers.prepareSnapshot();
  writeFileSync(join(pending.upper, file), "built here\n");
  const packed = await writeLayer(scanUpper(pending.upper, []));
  await pending.commit(packed);
  return packed;
}

describe("a layer that was pulled", () => {
  test("is unpacked when asked for, once", async () => {
    await using store = await Store.open(root);
    const tar = tarOf(tree);
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
    await using store = await Store.open(root);
    const tar = tarOf(tree);
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
    await using store = await Store.open(root);
    const { diffId, blob } = await putBlobLayer(store, tarOf(tree));
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
    await using store = await Store.open(root);
    const compressed = gzipSync(tarOf(tree));
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
    await using store = await Store.open(root);
    const tar = tarOf(tree);
    const { diffId, blob } = await putBlobLayer(store, tar);
    damage(store.blobs.blobPath(blob));
    await expect(store.layers.ensureSnapshot(diffId)).rejects.toMatchObject({ code: "LAYER_NOT_FOUND" });
    await putBlobLayer(store, tar);
    expect(existsSync(join(await store.layers.ensureSnapshot(diffId), "readme"))).toBe(true);
  });

  test("is unpacked once also by several processes", async () => {
    await using store = await Store.open(root);
    const { diffId } = await putBlobLayer(store, tarOf(tree));
    const programs = [1, 2, 3].map(() => startProgram(scratch, "unpack", [root, diffId]));
    await expect(Promise.all(programs.map(({ ended }) => ended))).resolves.toEqual([0, 0, 0]);
    const inodes = new Set(programs.map(({ lines }) => lines[0]));
    expect(inodes).toEqual(new Set([`unpacked ${statSync(await store.layers.ensureSnapshot(diffId)).ino}`]));
  });

  test("unpacking stops with the signal's reason and leaves nothing", async () => {
    await using store = await Store.open(root);
    const { diffId } = await putBlobLayer(store, tarOf(tree));
    const controller = new AbortController();
    const reason = new Error("enough");
    const unpacking = store.layers.ensureSnapshot(diffId, { signal: controller.signal });
    controller.abort(reason);
    await expect(unpacking).rejects.toBe(reason);
    expect(await store.layers.info(diffId)).toMatchObject({ hasSnapshot: false });
    expect(existsSync(await store.layers.ensureSnapshot(diffId))).toBe(true);
  });

  test("one waiter's abort does not disturb the other's", async () => {
    await using store = await Store.open(root);
    const { diffId } = await putBlobLayer(store, tarOf(tree));
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
    await using store = await Store.open(root);
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
    await using store = await Store.open(root);
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
    await using store = await Store.open(root);
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
    const store = await Store.open(root);
    {
      await using pending = await store.layers.prepareSnapshot();
      expect(statSync(pending.upper).mode & 0o7777).toBe(0o755);
      mkdirSync(join(pending.work, "work"), { mode: 0 });
      writeFileSync(join(pending.upper, "x"), "");
    }
    const { diffId } = await buildLayer(store);
    expect(readdirSync(join(root, "snapshots", diffId.slice(7))).sort()).toEqual(["fs", "layer.json"]);
    await store.close();
    expect(readdirSync(join(root, "tmp"))).toEqual([]);
  });

  test("a tar written chunk by chunk gets the diffID of its bytes", async () => {
    await using store = await Store.open(root);
    const tar = tarOf(tree);
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
    await using store = await Store.open(root);
    const pending = await store.layers.prepareTar();
    await pending.write(noise(100_000, "no tar"));
    const { diffId } = await pending.commit();
    await expect(store.layers.ensureSnapshot(diffId)).rejects.toMatchObject({ code: "LAYER_CORRUPT" });
    expect(await store.layers.info(diffId)).toMatchObject({ hasTar: true, hasSnapshot: false });
  });

  test("whose tar the disk has altered is made from another form, or is missing", async () => {
    await using store = await Store.open(root);
    const pending = await store.layers.prepareTar();
    const tar = tarOf(tree);
    await pending.write(tar);
    const { diffId } = await pending.commit();
    overwrite(join(root, "snapshots", diffId.slice(7), "layer.tar"), 3000);
    await expect(store.layers.openTar(diffId).then(collect)).rejects.toMatchObject({ code: "LAYER_CORRUPT" });
    await expect(store.layers.ensureBlob(diffId)).rejects.toMatchObject({ code: "LAYER_CORRUPT" });
    await expect(store.layers.ensureSnapshot(diffId)).rejects.toMatchObject({ code: "LAYER_NOT_FOUND" });
    await putBlobLayer(store, tar);
    expect(existsSync(await store.layers.ensureSnapshot(diffId))).toBe(true);
  });
});

describe("records", () => {
  test.each(["", "{", "[]", '{"diffId":"sha256:1"}', "\0".repeat(50)])(
    "a damaged layer.json (%j) is no layer, and is replaced",
    async (text) => {
      await using store = await Store.open(root);
      const tar = tarOf(tree);
      const { diffId } = await putBlobLayer(store, tar);
      await store.layers.ensureSnapshot(diffId);
      writeFileSync(join(root, "snapshots", diffId.slice(7), "layer.json"), text);
      expect(await store.layers.info(diffId)).toBeUndefined();
      await putBlobLayer(store, tar);
      expect(await store.layers.info(diffId)).toMatchObject({ hasBlob: true, hasSnapshot: false });
      expect(existsSync(join(await store.layers.ensureSnapshot(diffId), "readme"))).toBe(true);
    },
  );

  test("a snapshot that somebody removed by hand is made again", async () => {
    await using store = await Store.open(root);
    const { diffId } = await putBlobLayer(store, tarOf(tree));
    const path = await store.layers.ensureSnapshot(diffId);
    rmSync(path, { recursive: true });
    expect(await store.layers.info(diffId)).toMatchObject({ hasSnapshot: false });
    expect(existsSync(join(await store.layers.ensureSnapshot(diffId), "readme"))).toBe(true);
  });

  test("a half-made snapshot that a killed process left beside the record is not used", async () => {
    await using store = await Store.open(root);
    const { diffId } = await putBlobLayer(store, tarOf(tree));
    const left = join(root, "snapshots", diffId.slice(7), "fs");
    mkdirSync(left);
    writeFileSync(join(left, "half"), "");
    const path = await store.layers.ensureSnapshot(diffId);
    expect(readdirSync(path).sort()).toEqual(["bin", "readme"]);
  });

  test("origins gather, and equal notes write nothing", async () => {
    await using store = await Store.open(root);
    const tar = tarOf(tree);
    const { diffId } = await putBlobLayer(store, tar);
    const path = join(root, "snapshots", diffId.slice(7), "layer.json");
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
    await using store = await Store.open(root);
    await using other = await Store.open(root);
    const { diffId } = await putBlobLayer(store, tarOf(tree));
    const { blob } = (await store.layers.info(diffId)) ?? {};
    if (blob === undefined) throw new Error("no blob");
    const names = Array.from({ length: 20 }, (_, i) => `example.com/r${i}`);
    await Promise.all(
      names.map((name, i) => (i % 2 === 0 ? store : other).layers.noteBlob(diffId, blob, name)),
    );
    expect((await store.layers.info(diffId))?.origins).toHaveLength(21);
  });

  test("list() tells of every layer; remove() forgets one, unless somebody uses it", async () => {
    await using user = await Store.open(root);
    const { diffId } = await buildLayer(user);
    const { diffId: other } = await putBlobLayer(user, tarOf(tree));
    const listed = async (): Promise<readonly string[]> => {
      const found: string[] = [];
      for await (const info of collector.layers.list()) found.push(info.diffId);
      return found.sort();
    };
    await using collector = await Store.open(root);
    expect(await listed()).toEqual([diffId, other].sort());
    expect(await collector.layers.remove(other)).toBe(true);
    expect(await collector.layers.remove(other)).toBe(false);
    expect(await collector.layers.remove(diffId)).toBe(false); // who made it may be about to use it
    await user.close();
    expect(await collector.layers.hold(diffId)).toBe(true);
    await using second = await Store.open(root);
    expect(await second.layers.remove(diffId)).toBe(false);
    await collector.close();
    expect(await second.layers.remove(diffId)).toBe(true);
    expect(await second.layers.hold(diffId)).toBe(false);
    expect(await second.layers.info(diffId)).toBeUndefined();
  });
});

describe("after a restart of the machine", () => {
  test("a built layer is checked once before use", async () => {
    const { diffId } = await inBoot("one", (store) => buildLayer(store));
    const recordPath = join(root, "snapshots", diffId.slice(7), "layer.json");
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
    writeFileSync(join(root, "snapshots", diffId.slice(7), "fs/readme"), "");
    await inBoot("two", async (store) => {
      await expect(store.layers.ensureBlob(diffId)).rejects.toMatchObject({ code: "LAYER_NOT_FOUND" });
      expect(await store.layers.info(diffId)).toMatchObject({ hasSnapshot: false });
    });
  });

  test("an unpacked layer is unpacked again from its blob", async () => {
    const { diffId } = await inBoot("one", async (store) => {
      const layer = await putBlobLayer(store, tarOf(tree));
      await store.layers.ensureSnapshot(layer.diffId);
      return layer;
    });
    writeFileSync(join(root, "snapshots", diffId.slice(7), "fs/readme"), "");
    await inBoot("two", async (store) => {
      const path = await store.layers.ensureSnapshot(diffId);
      expect(readFileSync(join(path, "readme"), "utf8")).toContain("Read me.");
    });
  });

  test("what was in use long enough before is not checked", async () => {
    const { diffId } = await inBoot("one", (store) => buildLayer(store));
    const recordPath = join(root, "snapshots", diffId.slice(7), "layer.json");
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
    await using store = await Store.open(root, { machine: { ...defaults, ...machine } });
    return await work(store);
  }
});

function overwrite(path: string, at: number): void {
  const content = readFileSync(path);
  content.fill(0x55, at, at + 64);
  writeFileSync(path, content);
}
