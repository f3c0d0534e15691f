import { execFileSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { decodeManifest } from "../../src/oci/decode-manifest.ts";
import { MEDIA_TYPES } from "../../src/oci/media-types.ts";
import { type ImageRecord, Store } from "../../src/store/index.ts";
import { hasProgram, makeScratch, readJson } from "./support.ts";

const scratch = makeScratch();
const PLATFORM = { os: "linux", architecture: "amd64" } as const;
let count = 0;
let root: string;

beforeEach(() => {
  root = join(scratch, `store-${count++}`);
});

/** An image with one layer, complete with its manifest, in the store. */
async function makeImage(store: Store, reference: string, note = reference): Promise<ImageRecord> {
  const pending = await store.layers.prepareTar();
  await pending.write(Buffer.alloc(1024));
  const { diffId } = await pending.commit();
  const layer = await store.layers.ensureBlob(diffId);
  const put = (value: unknown, mediaType: string) =>
    store.blobs.putBytes(Buffer.from(JSON.stringify(value)), mediaType);
  const config = await put(
    { ...PLATFORM, config: { Labels: { note } }, rootfs: { type: "layers", diff_ids: [diffId] } },
    MEDIA_TYPES.ociConfig,
  );
  const manifest = await put(
    { schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config, layers: [layer] },
    MEDIA_TYPES.ociManifest,
  );
  const record: ImageRecord = {
    reference,
    imageId: config.digest,
    manifest,
    platform: PLATFORM,
    createdAt: "2024-05-06T07:08:09Z",
  };
  await store.images.put(record);
  return record;
}

describe("images", () => {
  test("put() and find() are each other's reverse, also for the next process", async () => {
    const names = [
      "docker.io/library/busybox:latest",
      "localhost:5000/a/b_c/d:V1.2-x",
      `example.com/${"r".repeat(240)}:${"t".repeat(128)}`,
    ];
    const records: ImageRecord[] = [];
    {
      await using store = await Store.open(root);
      for (const name of names) records.push(await makeImage(store, name));
    }
    await using store = await Store.open(root);
    for (const [i, name] of names.entries()) expect(await store.images.find(name)).toEqual(records[i]);
    expect(await store.images.list()).toEqual(
      records.toSorted((a, b) => (a.reference < b.reference ? -1 : 1)),
    );
    expect(await store.images.find("docker.io/library/busybox:1")).toBeUndefined();
  });

  test("find() takes an image ID, whole or its beginning", async () => {
    await using store = await Store.open(root);
    const record = await makeImage(store, "docker.io/library/a:latest");
    await store.images.put({ ...record, reference: "docker.io/library/b:latest" });
    const hex = record.imageId.slice("sha256:".length);
    for (const name of [
      record.imageId,
      hex,
      hex.slice(0, 12),
      hex.slice(0, 4),
      `sha256:${hex.slice(0, 7)}`,
    ]) {
      expect((await store.images.find(name))?.imageId).toBe(record.imageId);
    }
    expect(await store.images.find(hex.slice(0, 3))).toBeUndefined();
  });

  test("find() refuses a beginning that several images have", async () => {
    await using store = await Store.open(root);
    const first = await makeImage(store, "docker.io/library/a:latest");
    const twin = `${first.imageId.slice(0, 20)}${"0".repeat(51)}` as typeof first.imageId;
    await store.images.put({ ...first, reference: "docker.io/library/b:latest", imageId: twin });
    await expect(store.images.find(first.imageId.slice(0, 15))).rejects.toMatchObject({
      code: "IMAGE_AMBIGUOUS",
    });
    expect((await store.images.find(first.imageId))?.imageId).toBe(first.imageId);
  });

  test("put() replaces a name; remove() removes it once", async () => {
    await using store = await Store.open(root);
    await makeImage(store, "docker.io/library/a:latest", "first");
    const second = await makeImage(store, "docker.io/library/a:latest", "second");
    expect(await store.images.list()).toEqual([second]);
    expect(await store.images.remove(second.reference)).toBe(true);
    expect(await store.images.remove(second.reference)).toBe(false);
    expect(await store.images.list()).toEqual([]);
    expect(readJson(join(root, "index.json"))).toMatchObject({ manifests: [] });
  });

  test("index.json lists what has a manifest, with the names that others look for", async () => {
    await using store = await Store.open(root);
    const listed = await makeImage(store, "docker.io/library/a:latest");
    await makeImage(store, "docker.io/library/b:latest");
    const { manifest: _, ...unlisted } = listed;
    await store.images.put({ ...unlisted, reference: "docker.io/library/c:latest" });
    await store.images.put({ ...listed, reference: listed.imageId });
    const { manifests } = readJson(join(root, "index.json")) as { manifests: { annotations?: object }[] };
    expect(manifests).toHaveLength(3);
    expect(manifests).toContainEqual({
      ...listed.manifest,
      platform: PLATFORM,
      annotations: {
        "org.opencontainers.image.ref.name": listed.reference,
        "io.containerd.image.name": listed.reference,
      },
    });
    expect(manifests.filter(({ annotations }) => annotations === undefined)).toHaveLength(1);
  });

  test("putting what is there already writes nothing", async () => {
    await using store = await Store.open(root);
    const record = await makeImage(store, "docker.io/library/a:latest");
    writeFileSync(join(root, "index.json"), "untouched");
    await store.images.put(record);
    const { manifest: _, ...unlisted } = record;
    await store.images.put({ ...unlisted, createdAt: "2025-01-01T00:00:00Z" }); // a rebuild, all cached
    expect(() => readJson(join(root, "index.json"))).toThrow();
    expect(await store.images.find(record.reference)).toEqual(record);
  });

  test("another image under a name brings no manifest of the one before", async () => {
    await using store = await Store.open(root);
    const { manifest: _, ...record } = await makeImage(store, "docker.io/library/a:latest");
    const { digest } = await store.blobs.putBytes(Buffer.from("{}"), MEDIA_TYPES.ociConfig);
    const next = { ...record, imageId: digest, createdAt: "2025-01-01T00:00:00Z" };
    await store.images.put(next);
    expect(await store.images.find(record.reference)).toEqual(next);
    expect(readJson(join(root, "index.json"))).toMatchObject({ manifests: [] });
  });

  test("a damaged record is no image, and index.json is made without it", async () => {
    await using store = await Store.open(root);
    const good = await makeImage(store, "docker.io/library/good:latest");
    await makeImage(store, "docker.io/library/bad:latest");
    for (const text of [
      "",
      "{",
      "null",
      '{"reference":1}',
      "\0\0\0",
      JSON.stringify({ ...good, imageId: "md5:1" }),
    ]) {
      writeFileSync(join(root, "images", "docker.io%2Flibrary%2Fbad%3Alatest.json"), text);
      expect(await store.images.find("docker.io/library/bad:latest")).toBeUndefined();
      expect(await store.images.list()).toEqual([good]);
    }
    await store.images.put({ ...good, reference: "docker.io/library/other:latest" });
    expect((readJson(join(root, "index.json")) as { manifests: [] }).manifests).toHaveLength(2);
  });

  test("a change of an image that was broken off before index.json is mended by the next start", async () => {
    {
      await using store = await Store.open(root);
      await makeImage(store, "docker.io/library/a:latest");
    }
    writeFileSync(join(root, "index.json"), '{"schemaVersion":2,"manifests":[]}');
    writeFileSync(join(root, "images/.index-stale"), "");
    await (await Store.open(root)).close();
    expect((readJson(join(root, "index.json")) as { manifests: [] }).manifests).toHaveLength(1);
    expect(readdirSync(join(root, "images"))).not.toContain(".index-stale");
  });

  test("many changes at once lose none", async () => {
    await using store = await Store.open(root);
    await using other = await Store.open(root);
    const record = await makeImage(store, "docker.io/library/a:latest");
    const names = Array.from({ length: 24 }, (_, i) => `docker.io/library/n${i}:latest`);
    await Promise.all(
      names.map((reference, i) => (i % 2 === 0 ? store : other).images.put({ ...record, reference })),
    );
    expect((readJson(join(root, "index.json")) as { manifests: [] }).manifests).toHaveLength(25);
  });

  test("describe() reads what an image consists of", async () => {
    await using store = await Store.open(root);
    const record = await makeImage(store, "docker.io/library/a:latest");
    const found = await store.images.describe(record);
    expect(found.config.config?.Labels).toEqual({ note: record.reference });
    expect(found.layers).toMatchObject([{ info: { hasTar: true, hasBlob: true, tarSize: 1024 } }]);
    expect(found.layers[0]?.blob).toEqual(found.manifest?.layers[0]);
    expect(found.unpackedSize).toBe(1024);
    const manifest = decodeManifest(await store.blobs.readBlob(record.manifest?.digest ?? record.imageId));
    expect(found.compressedSize).toBe(manifest.config.size + (manifest.layers[0]?.size ?? 0));
  });

  test("describe() of an image whose config is gone or damaged says so", async () => {
    await using store = await Store.open(root);
    const record = await makeImage(store, "docker.io/library/a:latest");
    writeFileSync(store.blobs.blobPath(record.imageId), "{}");
    await expect(store.images.describe(record)).rejects.toMatchObject({ code: "BLOB_CORRUPT" });
    await store.blobs.removeBlob(record.imageId);
    await expect(store.images.describe(record)).rejects.toMatchObject({ code: "BLOB_NOT_FOUND" });
  });
});

describe.skipIf(!hasProgram("skopeo"))("skopeo", () => {
  const skopeo = (...args: readonly string[]): string => execFileSync("skopeo", args, { encoding: "utf8" });

  test("reads images from the store by their names", async () => {
    await using store = await Store.open(root);
    for (const name of ["docker.io/library/a:latest", "localhost:5000/team/app:v1.2_x"]) {
      const record = await makeImage(store, name);
      const found = JSON.parse(skopeo("inspect", `oci:${root}:${name}`)) as {
        Digest: string;
        Labels: object;
      };
      expect(found.Digest).toBe(record.manifest?.digest);
      expect(found.Labels).toEqual({ note: name });
    }
  });

  test("copies an image from the store, checking every digest", async () => {
    await using store = await Store.open(root);
    const record = await makeImage(store, "docker.io/library/a:latest");
    skopeo("copy", "-q", `oci:${root}:${record.reference}`, `oci:${root}-copy:a`);
    const raw = skopeo("inspect", "--raw", `oci:${root}-copy:a`);
    expect(raw).toBe(
      Buffer.from(await store.blobs.readBlob(record.manifest?.digest ?? record.imageId)).toString(),
    );
  });
});
