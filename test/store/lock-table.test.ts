import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { type Lease, Store } from "../../src/store/index.ts";
import { makeScratch, startProgram } from "./support.ts";

const scratch = makeScratch();
let count = 0;
let root: string;

beforeEach(() => {
  root = join(scratch, `store-${count++}`);
});

test("acquireLock() excludes within one process, in the order of release", async () => {
  await using store = await Store.open(root);
  const events: string[] = [];
  const hold = async (name: string): Promise<void> => {
    using _ = await store.acquireLock("a");
    events.push(`${name} in`);
    await new Promise((resolve) => setImmediate(resolve));
    events.push(`${name} out`);
  };
  await Promise.all([hold("1"), hold("2"), hold("3")]);
  for (let i = 0; i < events.length; i += 2) {
    expect(events[i + 1]).toBe(events[i]?.replace("in", "out"));
  }
  expect(events).toHaveLength(6);
});

test("locks of different names don't wait for each other", async () => {
  await using store = await Store.open(root);
  using first = await store.acquireLock("a");
  using second = await store.acquireLock("b");
  expect([first.name, second.name]).toEqual(["lease-a", "lease-b"]);
});

test("any number may share a lock; who wants it alone waits for the last of them", async () => {
  await using store = await Store.open(root);
  const sharers: Lease[] = [];
  for (let i = 0; i < 3; i++) sharers.push(await store.acquireLock("a", { mode: "shared" }));
  expect(store.tryLock("a")).toBeUndefined();
  let alone: Lease | undefined;
  const waiting = store.acquireLock("a").then((lease) => {
    alone = lease;
  });
  for (const sharer of sharers) {
    expect(alone).toBeUndefined();
    sharer.release();
  }
  await waiting;
  expect(store.tryLock("a", "shared")).toBeUndefined();
  alone?.release();
});

test("names may be anything", async () => {
  await using store = await Store.open(root);
  const names = ["", ".", "..", "../../etc/passwd", "a/b", "x".repeat(5000), "sha256:é*?\n", "%2e"];
  const leases = [];
  for (const name of names) leases.push(await store.acquireLock(name));
  expect(readdirSync(join(root, "locks"))).toHaveLength(names.length);
  for (const lease of leases) lease.release();
});

test("an aborted waiter leaves with the signal's reason and keeps nothing open", async () => {
  await using store = await Store.open(root);
  using _ = await store.acquireLock("a");
  const files = openFiles();
  const controller = new AbortController();
  const reason = new Error("enough");
  const waiting = store.acquireLock("a", { signal: controller.signal });
  queueMicrotask(() => controller.abort(reason));
  await expect(waiting).rejects.toBe(reason);
  expect(openFiles()).toBe(files);
  await expect(store.acquireLock("b", { signal: controller.signal })).rejects.toBe(reason);
});

test("releasing removes the lock's file and is idempotent", async () => {
  await using store = await Store.open(root);
  const lease = await store.acquireLock("a");
  expect(readdirSync(join(root, "locks"))).toEqual(["lease-a"]);
  lease.release();
  lease.release();
  expect(readdirSync(join(root, "locks"))).toEqual([]);
  using again = await store.acquireLock("a");
  expect(again.name).toBe("lease-a");
});

test("withLease() releases when the work throws", async () => {
  await using store = await Store.open(root);
  const failure = new Error("failed");
  await expect(store.withLease("a", () => Promise.reject(failure))).rejects.toBe(failure);
  expect(store.tryLock("a")?.release()).toBeUndefined();
});

test("a lock held by another process is waited for, and got when that releases it", async () => {
  await using store = await Store.open(root);
  const other = startProgram(scratch, "hold-lock", [root, "a", "exclusive"]);
  await other.waitFor("held");
  expect(store.tryLock("a")).toBeUndefined();
  const waiting = store.acquireLock("a");
  other.child.stdin?.end("release\n");
  using lease = await waiting;
  expect(lease.name).toBe("lease-a");
  await expect(other.ended).resolves.toBe(0);
});

test("a lock ends with its holder, however that dies", async () => {
  await using store = await Store.open(root);
  const other = startProgram(scratch, "hold-lock", [root, "a", "exclusive"]);
  await other.waitFor("held");
  const waiting = store.acquireLock("a");
  other.child.kill("SIGKILL");
  using lease = await waiting;
  expect(lease.name).toBe("lease-a");
  await expect(other.ended).resolves.toBe("SIGKILL");
});

test("processes that count under one lock lose no count", async () => {
  await using store = await Store.open(root);
  const file = join(scratch, "count");
  writeFileSync(file, "0");
  const programs = [1, 2, 3].map(() => startProgram(scratch, "count", [root, file, "150"]));
  await expect(Promise.all(programs.map(({ ended }) => ended))).resolves.toEqual([0, 0, 0]);
  expect(readFileSync(file, "utf8")).toBe("450");
  expect(readdirSync(join(store.root, "locks"))).toEqual([]);
});

function openFiles(): number {
  return readdirSync("/proc/self/fd").length;
}
