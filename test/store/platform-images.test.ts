import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { MEDIA_TYPES } from "../../src/oci/media-types.ts";
import type { Platform } from "../../src/oci/platform.ts";
import { imageFor, imagesOf } from "../../src/store/images/index.ts";
import { type ImageRecord, idOf, type PlatformImage, Store } from "../../src/store/index.ts";
import { makeScratch, readJson } from "./support.ts";

const scratch = makeScratch();
let count = 0;
let root: string;

beforeEach(() => {
  root = join(scratch, `store-${count++}`);
});

const NAME = "docker.io/library/app:1";
const PLATFORMS: readonly Platform[] = [
  { os: "linux", architecture: "amd64" },
  { os: "linux", architecture: "arm", variant: "v6" },
  { os: "linux", architecture: "arm", variant: "v7" },
];

async function makeIndex(store: Store): Promise<ImageRecord> {
  const put = (value: unknown, mediaType: string) =>
    store.blobs.putBytes(Buffer.from(JSON.stringify(value)), mediaType);
  const images: PlatformImage[] = [];
  for (const platform of PLATFORMS) {
    const config = await put(
      { ...platform, rootfs: { type: "layers", diff_ids: [] } },
      MEDIA_TYPES.ociConfig,
    );
    const manifest = await put(
      { schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config, layers: [] },
      MEDIA_TYPES.ociManifest,
    );
    images.push({ imageId: config.digest, manifest, platform });
  }
  const manifests = images.map(({ manifest, platform }) => ({ ...manifest, platform }));
  const index = await put(
    { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests },
    MEDIA_TYPES.ociIndex,
  );
  const record = {
    reference: NAME,
    ...(images[0] as PlatformImage),
    index,
    images,
    createdAt: "2024-05-06T07:08:09Z",
  };
  await store.images.put(record);
  return record;
}

describe("a name with images of several platforms", () => {
  test("is found by its name and by the index's digest, also by the next process", async () => {
    let record: ImageRecord;
    {
      await using store = await Store.open(root);
      record = await makeIndex(store);
    }
    await using store = await Store.open(root);
    expect(await store.images.find(NAME)).toEqual(record);
    expect(await store.images.find(idOf(record).slice(0, 20))).toEqual(record);
    expect(idOf(record)).toBe(record.index?.digest);
  });

  test("gives each of its images by its ID, as one without a name", async () => {
    await using store = await Store.open(root);
    const record = await makeIndex(store);
    for (const { imageId, manifest, platform } of imagesOf(record)) {
      const { createdAt } = record;
      expect(await store.images.find(imageId)).toEqual({
        reference: imageId,
        imageId,
        manifest,
        platform,
        createdAt,
      });
    }
  });

  test("is one line of index.json: its index, which has no platform of its own", async () => {
    await using store = await Store.open(root);
    const { index } = await makeIndex(store);
    const { manifests } = readJson(join(root, "index.json")) as { manifests: unknown[] };
    expect(manifests).toEqual([
      {
        ...index,
        annotations: { "org.opencontainers.image.ref.name": NAME, "io.containerd.image.name": NAME },
      },
    ]);
  });

  test("imageFor() takes the best that runs there", async () => {
    await using store = await Store.open(root);
    const record = await makeIndex(store);
    const variantFor = (platform: Platform) => imageFor(record, platform)?.platform;
    expect(variantFor({ os: "linux", architecture: "arm", variant: "v7" })).toEqual(PLATFORMS[2]);
    expect(variantFor({ os: "linux", architecture: "arm", variant: "v8" })).toEqual(PLATFORMS[2]);
    expect(variantFor({ os: "linux", architecture: "arm", variant: "v6" })).toEqual(PLATFORMS[1]);
    expect(variantFor({ os: "linux", architecture: "arm", variant: "v5" })).toBeUndefined();
    expect(variantFor({ os: "linux", architecture: "amd64", variant: "v3" })).toEqual(PLATFORMS[0]);
    expect(imageFor(record, PLATFORMS[1] as Platform)?.images).toBeUndefined();
  });

  test("is replaced by one image of the same name, and by several again", async () => {
    await using store = await Store.open(root);
    const { index: _index, images: _images, ...first } = await makeIndex(store);
    await store.images.put(first);
    expect(await store.images.find(NAME)).toEqual(first);
    const again = await makeIndex(store);
    expect(await store.images.find(NAME)).toEqual(again);
  });
});
