import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { KeptSources, type SourceKind } from "../../../src/builder/sources/kept-sources.ts";
import { Store } from "../../../src/store/index.ts";

const NOW = 1_800_000_000_000;
const DAY_SECONDS = 24 * 3600;
const signal = new AbortController().signal;

let root: string;
let store: Store;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "kept-sources-"));
  store = await Store.open(root);
});

afterEach(async () => {
  await store.close();
  await rm(root, { recursive: true, force: true });
});

const kept = (): KeptSources => new KeptSources(store, () => NOW);

/** Files below `cache/`; the folder at `path` was last used so many days ago. */
async function make(path: string, daysAgo: number, files: Readonly<Record<string, string>> = { file: "x" }) {
  const folder = join(root, "cache", path);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  const seconds = NOW / 1000 - daysAgo * DAY_SECONDS;
  await utimes(folder, seconds, seconds);
}

const isThere = (path: string): boolean => existsSync(join(root, "cache", path));

async function useAndRelease(kind: SourceKind, name: string): Promise<void> {
  const sources = kept();
  await sources.hold(kind, name, signal);
  await sources.release();
}

test.each(["http", "git"] as const)("what no build has used for two weeks is removed: %s", async (kind) => {
  await make(`${kind}/used`, 0);
  await make(`${kind}/recent`, 13);
  await make(`${kind}/old`, 15);
  await useAndRelease(kind, "used");
  expect(["used", "recent", "old"].map((name) => isThere(`${kind}/${name}`))).toEqual([true, true, false]);
});

test("nothing is removed while a build uses it, nor by a build that used nothing of the kind", async () => {
  await make("http/old", 15);
  const other = kept();
  expect(await other.hold("http", "old", signal)).toBe(join(root, "cache/http/old"));
  await useAndRelease("git", "any");
  await useAndRelease("http", "any");
  expect(isThere("http/old")).toBe(true);
  await other.release();
  expect(isThere("http/old")).toBe(false);
});

test("what a URL had before stays until the last build that may read it has ended", async () => {
  const record = JSON.stringify({ sha256: "new" });
  await make("http/url", 0, { "record.json": record, new: "new", old: "old" });
  const [first, second] = [kept(), kept()];
  await first.hold("http", "url", signal);
  await second.hold("http", "url", signal);
  await first.release();
  expect(isThere("http/url/old")).toBe(true);
  await second.release();
  expect(["old", "new", "record.json"].map((name) => isThere(`http/url/${name}`))).toEqual([
    false,
    true,
    true,
  ]);
});

test("of a repository the newest twenty trees are kept, and none that is old", async () => {
  for (let day = 0; day < 22; day++) await make(`git/remote/trees/${day}`, day / 2);
  await make("git/remote/trees/old", 20);
  await make("git/remote/repository", 30);
  await make("git/remote", 0, {});
  await useAndRelease("git", "remote");
  const left = [...Array(22).keys()].filter((day) => isThere(`git/remote/trees/${day}`));
  expect(left).toEqual([...Array(20).keys()]);
  expect(isThere("git/remote/trees/old")).toBe(false);
  expect(isThere("git/remote/repository")).toBe(true);
});
