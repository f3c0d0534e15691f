// work-hard ROOT SEED [TIMES]: stores blobs, layers and images, for ever if not told how often, saying what is
// finished; made to be killed.
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { digestOf } from "../../../src/oci/digest.ts";
import type { ByteString } from "../../../src/oci/layer-entry.ts";
import { MEDIA_TYPES } from "../../../src/oci/media-types.ts";
import { Store } from "../../../src/store/index.ts";
import { scanUpper, writeLayer } from "../../../src/store/layers/index.ts";

const [root = "", seed = "", times = "Infinity"] = process.argv.slice(2);
await using store = await Store.open(root);
for (let i = 0; i < Number(times); i++) {
  const name = `${seed}-${i}`;
  const large = bytes(2_000_000 + (i % 7) * 100_000, name);
  const descriptor = { mediaType: "text/plain", digest: digestOf(large), size: large.byteLength };
  await store.blobs.writeBlob(descriptor, async ({ offset }) => pieces(large.subarray(offset)));
  say("blob", descriptor.digest);

  const pending = await store.layers.prepareSnapshot();
  mkdirSync(`${pending.upper}/folder`);
  for (let f = 0; f < 20; f++) writeFileSync(`${pending.upper}/folder/${f}`, bytes(1000 * f, `${name} ${f}`));
  const packed = await writeLayer(scanUpper(pending.upper, []));
  await pending.commit(packed);
  say("layer", packed.diffId);

  const tar = await store.layers.prepareTar();
  const content = bytes(512 * 1024, `${name} tar`);
  const file = {
    path: "file" as ByteString,
    kind: "file",
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtimeSeconds: i,
  } as const;
  await writeLayer([{ ...file, size: content.byteLength, content: { kind: "bytes", bytes: content } }], {
    onTarChunk: (chunk) => tar.write(chunk),
  });
  const { diffId } = await tar.commit();
  say("layer", diffId);

  const layer = await store.layers.ensureBlob(packed.diffId);
  say("blob", layer.digest);

  // What a pull does: the blob, and then its snapshot beside the record.
  const empty = Buffer.alloc(10_240 + 512 * i);
  const compressed = gzipSync(empty);
  const pulled = await store.blobs.putBytes(compressed, MEDIA_TYPES.ociLayerGzip);
  await store.layers.noteBlob(digestOf(empty), pulled, `example.com/${name}`);
  await store.layers.ensureSnapshot(digestOf(empty));
  say("layer", digestOf(empty));

  const config = await store.blobs.putBytes(
    json({ os: "linux", architecture: "amd64", rootfs: { type: "layers", diff_ids: [packed.diffId] } }),
    MEDIA_TYPES.ociConfig,
  );
  const manifest = await store.blobs.putBytes(
    json({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config, layers: [layer] }),
    MEDIA_TYPES.ociManifest,
  );
  const reference = `example.com/${name}:latest`;
  await store.images.put({
    reference,
    imageId: config.digest,
    manifest,
    platform: { os: "linux", architecture: "amd64" },
    createdAt: "2024-01-01T00:00:00Z",
  });
  say("image", reference);
  if (i % 3 === 2) {
    say("removing", reference);
    await store.images.remove(reference);
  }
}

function say(kind: string, name: string): void {
  // Synchronous, so that the word is out before the next thing begins.
  writeFileSync(1, `${kind} ${name}\n`);
}

function bytes(size: number, name: string): Buffer {
  const block = createHash("sha512").update(name).digest();
  return Buffer.alloc(size, block);
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

async function* pieces(content: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.byteLength; at += 50_000) yield content.subarray(at, at + 50_000);
}
