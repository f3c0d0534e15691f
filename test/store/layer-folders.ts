import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { beforeEach } from "vitest";
import { type Digest, digestOf } from "../../src/oci/digest.ts";
import { MEDIA_TYPES } from "../../src/oci/media-types.ts";
import type { Store } from "../../src/store/index.ts";
import { scanUpper, writeLayer } from "../../src/store/layers/index.ts";
import { describeBytes, makeScratch, noise, opener } from "./support.ts";

/** For each test of a file its own. */
export interface LayerFolders {
  /** Of a store that is not there yet. */
  readonly root: string;
  /** A small tree to make layers of. */
  readonly tree: string;
}

export function useLayerFolders(scratch: string = makeScratch()): LayerFolders {
  let count = 0;
  const here = { root: "", tree: "" };
  beforeEach(() => {
    here.root = join(scratch, `store-${count}`);
    here.tree = join(scratch, `tree-${count++}`);
    mkdirSync(join(here.tree, "bin"), { recursive: true });
    writeFileSync(join(here.tree, "bin/tool"), noise(300_000, "tool"), { mode: 0o755 });
    writeFileSync(join(here.tree, "readme"), "Read me.\n".repeat(1000));
  });
  return here;
}

/** Stores a foreign layer as a pull does: its gzip blob, and which layer it is. */
export async function putBlobLayer(
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
export async function buildLayer(
  store: Store,
  file = "readme",
): Promise<{ readonly diffId: Digest; readonly tarSize: number }> {
  await using pending = await store.layers.prepareSnapshot();
  writeFileSync(join(pending.upper, file), "built here\n");
  const packed = await writeLayer(scanUpper(pending.upper, []));
  await pending.commit(packed);
  return packed;
}
