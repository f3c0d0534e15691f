import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Store } from "../../src/store/index.ts";
import { scanUpper, writeLayer } from "../../src/store/layers/index.ts";
import { collect } from "../support/collect.ts";
import { describeBytes, makeScratch, noise, opener } from "./support.ts";

const scratch = makeScratch();
const MIB = 1024 * 1024;

const FULL = {
  name: "StoreError",
  code: "DISK_FULL",
  message: expect.stringMatching(/^Cannot .*: no space is left on the disk at "\//),
  hint: expect.stringContaining("strake rmi"),
};

describe.skipIf(process.getuid?.() !== 0)("on a disk of 8 MiB (needs root to mount one)", () => {
  let root: string;
  let store: Store;

  beforeEach(async () => {
    root = join(scratch, "disk");
    mkdirSync(root, { recursive: true });
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=8m,mode=0700", "strake-test", root]);
    store = await Store.open(root);
  });

  afterEach(async () => {
    await store.close();
    execFileSync("umount", ["-l", root]);
  });

  test("a blob that does not fit is DISK_FULL, and goes on when there is room", async () => {
    const filler = join(root, "filler");
    writeFileSync(filler, Buffer.alloc(5 * MIB));
    const content = noise(5 * MIB, "large");
    const descriptor = describeBytes(content);
    await expect(store.blobs.writeBlob(descriptor, opener(content))).rejects.toMatchObject(FULL);
    expect(await store.blobs.hasBlob(descriptor)).toBe(false);
    rmSync(filler);
    const rest = opener(content);
    await store.blobs.writeBlob(descriptor, rest);
    expect(rest.offsets[0]).toBeGreaterThan(1 * MIB);
    expect((await collect(await store.blobs.openBlob(descriptor))).equals(content)).toBe(true);
  });

  test("nothing at all fits: each kind of write says so", async () => {
    const layer = await store.layers.prepareSnapshot();
    writeFileSync(join(layer.upper, "file"), "x");
    const packed = await writeLayer(scanUpper(layer.upper, []));
    const tar = await store.layers.prepareTar();
    await tar.write(Buffer.alloc(1024));
    const made = await store.blobs.putBytes(Buffer.from("{}"), "application/json");
    fill(root);

    await expect(store.blobs.putBytes(noise(10_000, "x"), "text/plain")).rejects.toMatchObject(FULL);
    await expect(tar.commit()).rejects.toMatchObject(FULL);
    await expect(layer.commit(packed)).rejects.toMatchObject(FULL);
    const record = {
      reference: "docker.io/library/a:latest",
      imageId: made.digest,
      platform: { os: "linux", architecture: "amd64" },
      createdAt: "2024-01-01T00:00:00Z",
    };
    await expect(store.images.put(record)).rejects.toMatchObject(FULL);
    expect(await store.images.list()).toEqual([]);

    rmSync(join(root, "filler"));
    await store.images.put(record);
    expect(await store.images.list()).toEqual([record]);
  });

  test("a layer that does not fit unpacked is DISK_FULL and leaves nothing", async () => {
    const pending = await store.layers.prepareTar();
    const content = noise(5 * MIB, "file");
    const file = {
      path: "file" as never,
      kind: "file",
      mode: 0o644,
      uid: 0,
      gid: 0,
      mtimeSeconds: 0,
    } as const;
    const chunks: Uint8Array[] = [];
    await writeLayer([{ ...file, size: content.byteLength, content: { kind: "bytes", bytes: content } }], {
      onTarChunk: (chunk) => void chunks.push(chunk),
    });
    for (const chunk of chunks) await pending.write(chunk);
    const { diffId } = await pending.commit();
    await expect(store.layers.ensureSnapshot(diffId)).rejects.toMatchObject(FULL);
    await expect(store.layers.ensureBlob(diffId)).rejects.toMatchObject(FULL);
    await store.close();
    expect(readdirSync(join(root, "tmp"))).toEqual([]);
    expect(await store.layers.info(diffId)).toMatchObject({
      hasTar: true,
      hasSnapshot: false,
      hasBlob: false,
    });
  });
});

/** Takes the last page of the disk. */
function fill(root: string): void {
  const page = Buffer.alloc(4096);
  try {
    for (;;) writeFileSync(join(root, "filler"), page, { flag: "a" });
  } catch {
    // Full.
  }
}
