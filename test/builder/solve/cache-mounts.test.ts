import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  type CacheMount,
  emptyCaches,
  type HeldCaches,
  holdCaches,
} from "../../../src/builder/solve/cache-mounts.ts";
import { Store } from "../../../src/store/index.ts";

const DAY_MS = 24 * 3600 * 1000;

let root: string;
let stores: Store[];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "cache-mounts-"));
  stores = [await Store.open(root)];
});

afterEach(async () => {
  for (const store of stores) await store.close();
  await rm(root, { recursive: true, force: true });
});

const cache = (sharing: CacheMount["sharing"], cacheId = "npm"): CacheMount => ({
  kind: "cache",
  cacheId,
  sharing,
});

/** Holds caches and makes their folders, as a step does. */
async function hold(
  mounts: readonly CacheMount[],
  options: { readonly now?: number; readonly signal?: AbortSignal } = {},
): Promise<HeldCaches & { readonly folders: readonly string[] }> {
  const held = await holdCaches(stores[0] as Store, mounts, {
    signal: options.signal ?? new AbortController().signal,
    now: () => options.now ?? Date.now(),
  });
  const folders = mounts.map((mount) => held.folderOf(mount));
  for (const folder of folders) await mkdir(folder, { recursive: true });
  return { ...held, folders };
}

const numbers = ({ folders }: { readonly folders: readonly string[] }): readonly string[] =>
  folders.map((folder) => basename(folder).split(".")[1] ?? "0");

test("private caches in use at once are different; one that is free is used again", async () => {
  const first = await hold([cache("private")]);
  using second = await hold([cache("private")]);
  using third = await hold([cache("private")]);
  expect([first, second, third].flatMap(numbers)).toEqual(["0", "1", "2"]);
  expect(new Set([first, second].map(({ folders }) => basename(folders[0] ?? "").split(".")[0])).size).toBe(
    1,
  );
  first[Symbol.dispose]();
  using fourth = await hold([cache("private")]);
  expect(numbers(fourth)).toEqual(["0"]);
});

test("shared caches are one; where a step has it alone, the others share another", async () => {
  const alone = await hold([cache("locked")]);
  using a = await hold([cache("shared")]);
  using b = await hold([cache("shared")]);
  expect([alone, a, b].flatMap(numbers)).toEqual(["0", "1", "1"]);
  alone[Symbol.dispose]();
  using c = await hold([cache("shared")]);
  using d = await hold([cache("private")]);
  expect([c, d].flatMap(numbers)).toEqual(["0", "2"]);
});

test("a locked cache is waited for, and the wait can be given up", async () => {
  const first = await hold([cache("locked")]);
  const stop = new AbortController();
  const given = hold([cache("locked")], { signal: stop.signal });
  const second = hold([cache("locked")]);
  stop.abort(new Error("enough"));
  await expect(given).rejects.toThrow("enough");
  let isHeld = false;
  void second.then(() => {
    isHeld = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(isHeld).toBe(false);
  first[Symbol.dispose]();
  using held = await second;
  expect(numbers(held)).toEqual(["0"]);
});

test("one cache mounted twice by a step is the same in both places, and no other's", async () => {
  using held = await hold([cache("private"), cache("locked"), cache("private", "other")]);
  const [a, b, c] = held.folders;
  expect(b).toBe(a);
  expect(c).not.toBe(a);
});

test("a failed wait gives back what was taken before", async () => {
  using _busy = await hold([cache("locked", "a"), cache("locked", "b")].slice(0, 1));
  const waiting = hold([cache("locked", "a"), cache("locked", "b")], {
    signal: AbortSignal.abort(new Error("no")),
  });
  await expect(waiting).rejects.toThrow("no");
  using held = await hold([cache("private", "b")]);
  expect(numbers(held)).toEqual(["0"]);
});

test("further instances that nobody has used for two weeks are removed, never the first or one in use", async () => {
  const now = Date.now();
  const all = [
    await hold([cache("private")]),
    await hold([cache("private")]),
    await hold([cache("private")]),
  ];
  const folders = all.flatMap((held) => held.folders);
  for (const folder of folders) await writeFile(join(folder, "file"), "kept\n");
  const inUse = await hold([cache("private")]);
  for (const held of all) held[Symbol.dispose]();
  const [first, second, third] = folders as [string, string, string];
  using _a = await hold([cache("private")], { now: now + 15 * DAY_MS });
  using _b = await hold([cache("private")], { now: now + 15 * DAY_MS });
  expect([first, second, third, inUse.folders[0] as string].map(existsSync)).toEqual([
    true,
    true,
    false,
    true,
  ]);
  inUse[Symbol.dispose]();
});

test("emptying caches removes every instance of those alone, but one that is in use", async () => {
  const store = stores[0] as Store;
  const [free, other] = [cache("private", "/free"), cache("shared", "other")];
  const first = await hold([free]);
  const second = await hold([free]);
  const [path = ""] = first.folders;
  const [beside = ""] = second.folders;
  using kept = await hold([other]);
  first[Symbol.dispose]();
  await emptyCaches(store, [free, { kind: "tmpfs" }]);
  expect([path, beside, ...kept.folders].map((folder) => existsSync(folder))).toEqual([false, true, true]);
  second[Symbol.dispose]();
  await emptyCaches(store, [{ ...free, cacheId: "/free/" }, other]);
  expect([beside, ...kept.folders].map((folder) => existsSync(folder))).toEqual([false, true]);
});
