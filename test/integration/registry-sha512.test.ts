import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createHasher, type Descriptor, MEDIA_TYPES, parseReference } from "../../src/oci/index.ts";
import { copyImage, pullImage, pushImage, RegistryClient } from "../../src/registry/index.ts";
import { Store } from "../../src/store/index.ts";
import { runCli } from "../cli/run-cli.ts";
import { startMemoryRegistry } from "../support/memory-registry.ts";
import { json, MemoryBlobs, seededBytes } from "../support/registry-images.ts";

/** An index of one image; everything below it is named by sha512. */
function makeLongIndex(): {
  readonly blobs: MemoryBlobs;
  readonly index: Descriptor;
  readonly layer: Descriptor;
  readonly bytes: Uint8Array;
} {
  const blobs = new MemoryBlobs();
  const put = (content: Uint8Array, mediaType: string): Descriptor => {
    const hasher = createHasher("sha512");
    hasher.update(content);
    const digest = hasher.digest();
    blobs.content.set(digest, content);
    return { mediaType, digest, size: content.byteLength };
  };
  const bytes = seededBytes("long", 300_000);
  const layer = put(bytes, MEDIA_TYPES.ociLayer);
  const platform = { os: "linux", architecture: "amd64" };
  const rootfs = { type: "layers", diff_ids: [layer.digest] };
  const config = put(json({ ...platform, config: {}, rootfs }), MEDIA_TYPES.ociConfig);
  const manifest = put(
    json({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config, layers: [layer] }),
    MEDIA_TYPES.ociManifest,
  );
  const index = blobs.put(
    json({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [{ ...manifest, platform }] }),
    MEDIA_TYPES.ociIndex,
  );
  return { blobs, index, layer, bytes };
}

test("an image that an index names by sha512, as its layers are, goes through a registry, a store and another registry", async () => {
  await using server = await startMemoryRegistry();
  await using other = await startMemoryRegistry();
  await using client = new RegistryClient();
  const { blobs, index, layer, bytes } = makeLongIndex();
  const from = client.repository(parseReference(`${server.host}/long`));
  const pushed = await pushImage(client, {
    source: blobs,
    root: index,
    reference: parseReference(`${server.host}/long:1`),
  });
  expect(pushed.blobs).toEqual({ uploaded: 2, mounted: 0, present: 0 });

  const folder = await mkdtemp(join(tmpdir(), "strake-sha512-"));
  try {
    const store = await Store.open(join(folder, "store"));
    try {
      const reference = parseReference(`${server.host}/long:1`);
      await pullImage(client, { reference, sink: store.blobs });
      expect(Buffer.compare(await store.blobs.readBlob(layer.digest), bytes)).toBe(0);
      await pushImage(client, {
        source: store.blobs,
        root: index,
        reference: parseReference(`${other.host}/from-store:1`),
      });
    } finally {
      await store.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }

  const to = client.repository(parseReference(`${other.host}/copied`));
  await copyImage({
    from,
    name: "1",
    to,
    pushBlob: (descriptor, open, signal) => to.pushBlob(descriptor, open, { signal }),
    tags: ["1"],
  });
  for (const name of ["from-store", "copied"]) {
    const sink = new MemoryBlobs();
    await pullImage(client, { reference: parseReference(`${other.host}/${name}:1`), sink });
    expect(Buffer.compare(sink.content.get(layer.digest) as Uint8Array, bytes), name).toBe(0);
  }
  expect(other.seen.some((line) => line.startsWith("GET") && line.includes("blobs/sha512:"))).toBe(true);
});

test("an image that an index names by sha512 goes into a layout and an archive, and back to a registry by its names", async () => {
  await using server = await startMemoryRegistry();
  await using client = new RegistryClient();
  const { blobs, index, bytes, layer } = makeLongIndex();
  const reference = parseReference(`${server.host}/long:1`);
  await pushImage(client, { source: blobs, root: index, reference });
  const folder = await mkdtemp(join(tmpdir(), "strake-sha512-"));
  try {
    for (const kind of ["oci", "oci-archive"]) {
      const path = join(folder, kind);
      const there = await runCli(["copy", `docker://${server.host}/long:1`, `${kind}:${path}`]);
      expect(there, there.stderr).toMatchObject({ code: 0 });
      const back = await runCli(["copy", `${kind}:${path}`, `docker://${server.host}/back/${kind}:1`]);
      expect(back, back.stderr).toMatchObject({ code: 0 });
      const sink = new MemoryBlobs();
      await pullImage(client, { reference: parseReference(`${server.host}/back/${kind}:1`), sink });
      expect(Buffer.compare(sink.content.get(layer.digest) as Uint8Array, bytes), kind).toBe(0);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
