import { readdirSync, readFileSync, statSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { type Digest, parseDigest } from "../../src/oci/digest.ts";
import { Store } from "../../src/store/index.ts";
import { collect } from "../support/collect.ts";
import { describeBlobStore } from "./blob-contract.ts";
import { describeBytes, makeScratch, noise, opener } from "./support.ts";

const scratch = makeScratch();
const open: Store[] = [];
let count = 0;

async function openStore(): Promise<Store> {
  const store = await Store.open(join(scratch, `store-${count++}`));
  open.push(store);
  return store;
}

afterEach(async () => {
  for (const store of open.splice(0)) {
    await store.close();
    expect(readdirSync(join(store.root, "tmp"))).toEqual([]);
    expect(readdirSync(join(store.root, "locks"))).toEqual([]);
  }
});

describeBlobStore("the store on disk", async () => (await openStore()).blobs);

test("a blob lies where the image layout wants it, readable by nobody else", async () => {
  const store = await openStore();
  const { digest } = await store.blobs.putBytes(Buffer.from("{}"), "application/json");
  expect(store.blobs.blobPath(digest)).toBe(join(store.root, "blobs/sha256", digest.slice("sha256:".length)));
  expect(readFileSync(store.blobs.blobPath(digest), "utf8")).toBe("{}");
  expect(statSync(store.root).mode & 0o777).toBe(0o700);
});

test("a sha512 blob is verified with sha512", async () => {
  const store = await openStore();
  const digest = parseDigest(
    "sha512:27c74670adb75075fad058d5ceaf7b20c4e7786c83bae8a32f626f9782af34c9a33c2046ef60fd2a7878d378e29fec851806bbd9a67878f3a9f1cda4830763fd",
  );
  const content = Buffer.from("{}");
  await store.blobs.writeBlob({ mediaType: "application/json", digest, size: 2 }, opener(content));
  expect(Buffer.from(await store.blobs.readBlob(digest)).equals(content)).toBe(true);
  const wrong = opener(Buffer.from("[]"));
  await expect(
    store.blobs.writeBlob(
      { mediaType: "application/json", digest: digest.replace("27c7", "27c8") as Digest, size: 2 },
      wrong,
    ),
  ).rejects.toMatchObject({ code: "BLOB_CORRUPT" });
});

test("readBlob() notices a flipped bit, and writing the blob again mends it", async () => {
  const store = await openStore();
  const content = Buffer.from("some bytes");
  const { digest } = await store.blobs.putBytes(content, "text/plain");
  writeFileSync(store.blobs.blobPath(digest), "sOme bytes");
  await expect(store.blobs.readBlob(digest)).rejects.toMatchObject({ code: "BLOB_CORRUPT" });
  await store.blobs.putBytes(content, "text/plain");
  expect(Buffer.from(await store.blobs.readBlob(digest)).equals(content)).toBe(true);
});

test("a blob cut off by a loss of power counts as missing for a writer and as corrupt for a reader", async () => {
  const store = await openStore();
  const content = noise(2 * 1024 * 1024, "cut");
  const descriptor = describeBytes(content);
  await store.blobs.writeBlob(descriptor, opener(content));
  truncateSync(store.blobs.blobPath(descriptor.digest), 1000);
  expect(await store.blobs.hasBlob(descriptor)).toBe(false);
  await expect(store.blobs.openBlob(descriptor)).rejects.toMatchObject({ code: "BLOB_CORRUPT" });
  await store.blobs.writeBlob(descriptor, opener(content));
  expect((await collect(await store.blobs.openBlob(descriptor))).equals(content)).toBe(true);
});

test("a download that was broken off in an earlier run goes on in the next", async () => {
  const root = join(scratch, `store-${count++}`);
  const content = noise(4 * 1024 * 1024, "resume");
  const descriptor = describeBytes(content);
  {
    await using first = await Store.open(root);
    await using part = await first.blobs.openPart(descriptor);
    await part?.append(content.subarray(0, 3_000_000));
  }
  await using second = await Store.open(root);
  const rest = opener(content);
  await second.blobs.writeBlob(descriptor, rest);
  expect(rest.offsets).toEqual([3_000_000]);
  expect(readdirSync(join(root, "parts"))).toEqual([]);
});

test("a part with all bytes needs no source any more", async () => {
  const store = await openStore();
  const content = noise(2 * 1024 * 1024, "all");
  const descriptor = describeBytes(content);
  {
    await using part = await store.blobs.openPart(descriptor);
    await part?.append(content);
  }
  const source = opener(content);
  await store.blobs.writeBlob(descriptor, source);
  expect(source.offsets).toEqual([]);
  expect(await store.blobs.hasBlob(descriptor)).toBe(true);
});

test("beginnings of downloads that nobody wants any more are removed after a week", async () => {
  const root = join(scratch, `store-${count++}`);
  const old = describeBytes(noise(2 * 1024 * 1024, "old"));
  const recent = describeBytes(noise(2 * 1024 * 1024, "recent"));
  {
    await using store = await Store.open(root);
    for (const descriptor of [old, recent]) {
      await using part = await store.blobs.openPart(descriptor);
      await part?.append(Buffer.alloc(1000));
    }
  }
  const weekAgo = Date.now() / 1000 - 8 * 24 * 3600;
  utimesSync(join(root, "parts", old.digest.replace(":", "-")), weekAgo, weekAgo);
  // Cleaning starts when there is a sign of a process that died.
  writeFileSync(join(root, "tmp", "999999999-left"), "");
  await using store = await Store.open(root);
  await store.close();
  expect(readdirSync(join(root, "parts"))).toEqual([recent.digest.replace(":", "-")]);
});

test("a large blob is verified as every other, also when it goes on where an earlier run was broken off", async () => {
  const root = join(scratch, `store-${count++}`);
  const content = Buffer.alloc(65 * 1024 * 1024, noise(1_000_003, "large"));
  const descriptor = describeBytes(content);
  {
    await using first = await Store.open(root);
    await using part = await first.blobs.openPart(descriptor);
    await part?.append(content.subarray(0, 30_000_000));
  }
  await using store = await Store.open(root);
  const rest = opener(content);
  await store.blobs.writeBlob(descriptor, rest);
  expect(rest.offsets).toEqual([30_000_000]);
  expect((await collect(await store.blobs.openBlob(descriptor))).equals(content)).toBe(true);

  const wrong = { ...descriptor, digest: describeBytes(Buffer.from("other")).digest };
  const attempt = store.blobs.writeBlob(wrong, opener(content));
  await expect(attempt).rejects.toMatchObject({ code: "BLOB_CORRUPT" });
  expect(await store.blobs.hasBlob(wrong)).toBe(false);
  expect(readdirSync(join(root, "parts"))).toEqual([]);
});
