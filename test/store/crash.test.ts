import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Digest, digestOf, parseDigest } from "../../src/oci/digest.ts";
import { Store } from "../../src/store/index.ts";
import { collect } from "../support/collect.ts";
import { makeScratch, readJson, startProgram } from "./support.ts";

const scratch = makeScratch();

const ROUNDS = 10;

test("killing processes at any instant loses nothing finished and leaves nothing that the next start doesn't clean", async () => {
  const root = join(scratch, "store");
  const finished = { blob: new Set<string>(), layer: new Set<string>(), image: new Set<string>() };
  for (let round = 0; round < ROUNDS; round++) {
    // Two at once, killed at moments of their own; the next round's processes begin with what these leave.
    const programs = [0, 1].map((i) => startProgram(scratch, "work-hard", [root, `${round}-${i}`]));
    await Promise.all(
      programs.map(async (program, i) => {
        await program.waitForLines(1 + ((round * 7 + i * 5) % 20));
        // Not a wait for something: the point is to strike anywhere.
        await new Promise((resolve) => setTimeout(resolve, (round * 13 + i * 29) % 60));
        program.child.kill("SIGKILL");
        expect(await program.ended).toBe("SIGKILL");
      }),
    );
    for (const line of programs.flatMap(({ lines }) => lines)) {
      const [kind = "", name = ""] = line.split(" ");
      if (kind === "blob" || kind === "layer" || kind === "image") finished[kind].add(name);
      if (kind === "removing") finished.image.delete(name);
    }
  }

  // Closing does not wait long for the cleaning; on a slow machine the start after goes on with it.
  for (let i = 0; i < 20 && readdirSync(join(root, "tmp")).length > 0; i++) {
    await (await Store.open(root)).close();
  }
  expect(readdirSync(join(root, "tmp"))).toEqual([]);
  expect(readdirSync(join(root, "locks"))).toEqual([]);

  await using store = await Store.open(root);
  await validate(store);
  expect(finished.image.size).toBeGreaterThan(ROUNDS);
  for (const digest of finished.blob)
    expect(existsSync(store.blobs.blobPath(parseDigest(digest)))).toBe(true);
  for (const diffId of finished.layer) {
    expect(await store.layers.info(parseDigest(diffId)), diffId).toBeDefined();
    await collect(await store.layers.openTar(parseDigest(diffId))); // verifies
  }
  const references = new Set((await store.images.list()).map(({ reference }) => reference));
  for (const reference of finished.image) expect(references).toContain(reference);
}, 240_000);

/** Everything that is there is whole: each blob, each form of each layer, each image down to its layers. */
async function validate(store: Store): Promise<void> {
  const blobs = new Set<Digest>();
  for await (const { digest } of store.blobs.listBlobs()) {
    expect(digestOf(readFileSync(store.blobs.blobPath(digest)))).toBe(digest);
    blobs.add(digest);
  }
  for (const hex of readdirSync(join(store.root, "snapshots"))) {
    expect(await store.layers.info(`sha256:${hex}` as Digest), hex).toBeDefined();
  }
  for await (const info of store.layers.list()) {
    if (!info.hasSnapshot && !info.hasTar && !info.hasBlob) continue;
    expect(existsSync(await store.layers.ensureSnapshot(info.diffId))).toBe(true);
    await collect(await store.layers.openTar(info.diffId));
  }
  const records = await store.images.list();
  for (const record of records) {
    const { layers, manifest } = await store.images.describe(record);
    for (const { blob } of layers) expect(blobs).toContain(blob?.digest);
    expect(manifest).toBeDefined();
  }
  const index = readJson(join(store.root, "index.json")) as { readonly manifests: readonly object[] };
  expect(index.manifests).toHaveLength(records.length);
}
