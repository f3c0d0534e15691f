import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BuildCache, type CacheRecord, computeCacheKey } from "../../src/cache/index.ts";
import { digestOf } from "../../src/oci/index.ts";

let folder: string;
let cache: BuildCache;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "strake-cache-"));
  cache = new BuildCache(join(folder, "cache"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe("lookup()", () => {
  it("gives back what was stored", async () => {
    const record = recordOf("RUN true");
    await cache.store(record);
    expect(await cache.lookup(record.key)).toEqual(record);
  });

  it("misses a key that was never stored", async () => {
    expect(await cache.lookup(digestOf("nothing"))).toBeUndefined();
  });

  it.each([
    ["cut short", (text: string) => text.slice(0, text.length / 2)],
    ["empty", () => ""],
    ["of a later version", (text: string) => text.replace('"version": 1', '"version": 2')],
    ["without a result", (text: string) => text.replace('"result"', '"outcome"')],
    ["of another key", (text: string) => text.replace(/"key": "sha256:.{8}/, '"key": "sha256:00000000')],
  ])("misses a record that is %s", async (_name, damage) => {
    const record = recordOf("RUN something");
    await cache.store(record);
    const path = await onlyFile(join(folder, "cache", "keys"));
    await writeFile(path, damage(await readFile(path, "utf8")));
    expect(await cache.lookup(record.key)).toBeUndefined();
  });
});

describe("store()", () => {
  it("leaves no temporary file behind", async () => {
    await Promise.all(["a", "b", "c"].map((step) => cache.store(recordOf(step))));
    const names = await readdir(join(folder, "cache", "keys"), { recursive: true });
    expect(names.filter((name) => name.includes(".json.") || name.startsWith("."))).toEqual([]);
  });
});

describe("layerOf()", () => {
  it("answers with the layer that was stored for the identity", async () => {
    const layer = { diffId: digestOf("layer"), createdAt: "2026-01-01T00:00:00.000Z" };
    await cache.storeLayerOf(digestOf("identity"), layer);
    expect(await cache.layerOf(digestOf("identity"))).toEqual(layer);
    expect(await cache.layerOf(digestOf("other"))).toBeUndefined();
  });
});

describe("list()", () => {
  it("lists every record with when it was last used", async () => {
    await cache.store(recordOf("one"));
    await cache.store(recordOf("two"));
    const listed = [];
    for await (const entry of cache.list()) listed.push(entry);
    expect(listed.map(({ record }) => record.step).sort()).toEqual(["one", "two"]);
    expect(listed.every(({ lastUsedAt }) => lastUsedAt instanceof Date)).toBe(true);
  });
});

function recordOf(step: string): CacheRecord {
  const ingredients = { operation: "run", argv: [step] };
  return {
    version: 1,
    key: computeCacheKey(ingredients),
    step,
    ingredients,
    result: { diffId: digestOf(`layer of ${step}`), treeId: digestOf(`tree of ${step}`) },
    createdAt: "2026-01-01T00:00:00.000Z",
    durationMs: 12,
  };
}

async function onlyFile(root: string): Promise<string> {
  const names = (await readdir(root, { recursive: true })).filter((name) => name.endsWith(".json"));
  expect(names).toHaveLength(1);
  return join(root, names[0] as string);
}
