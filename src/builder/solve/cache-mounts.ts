import { readdir, stat, utimes } from "node:fs/promises";
import { join, posix } from "node:path";
import { digestOf, splitDigest } from "../../oci/index.ts";
import type { BuildStore } from "../collaborators.ts";
import type { ExecMount } from "../graph/vertex.ts";

/** The caches that a RUN has while it runs. Disposing lets others have them. */
export interface HeldCaches extends Disposable {
  /** The folder of a cache among them, absolute; it may not be there yet. */
  readonly folderOf: (mount: CacheMount) => string;
}

export type CacheMount = Pick<
  ExecMount<{ readonly id: string }> & { readonly kind: "cache" },
  "kind" | "cacheId" | "from" | "folder" | "sharing"
>;

export interface HoldCachesOptions {
  /** Ends the wait for a locked cache. */
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** More caches of one ID than this are not made: who wants another then waits for the first. */
const MAX_INSTANCES = 100;
/** Further instances of a cache that nobody has used for so long are removed. */
const UNUSED_MS = 14 * 24 * 3600 * 1000;

/**
 * Takes the caches that a RUN mounts, among all processes that use the store. Of a cache there may be several instances
 * beside each other, `NAME`, `NAME.1`, and so on:
 *
 * - `locked` waits for the first;
 * - `private` takes the first that nobody has, and makes one where all are taken, as BuildKit does;
 * - `shared` takes the first that is not somebody's alone.
 *
 * A step that mounts one cache twice has the same instance in both places.
 * @throws the signal's reason
 */
export async function holdCaches(
  store: Pick<BuildStore, "root" | "acquireLock" | "tryLock">,
  mounts: readonly { readonly kind: string }[],
  options: HoldCachesOptions,
): Promise<HeldCaches> {
  const wanted = new Map<string, CacheMount["sharing"]>();
  for (const mount of mounts.filter(isCache)) {
    const name = cacheName(mount);
    if (!wanted.has(name)) wanted.set(name, mount.sharing);
  }
  const held = new Map<string, Instance>();
  const release = (): void => {
    for (const { lease } of held.values()) lease.release();
  };
  const folder = join(store.root, "cache", "mounts");
  try {
    // In one order for everybody: two steps with the same two caches cannot wait for each other.
    for (const name of [...wanted.keys()].sort()) {
      const instance = await takeInstance(store, name, wanted.get(name) ?? "shared", options);
      held.set(name, instance);
      await noteUse(join(folder, instance.name), options.now());
      if (instance.name !== name) await sweep(store, folder, name, options.now());
    }
  } catch (error) {
    release();
    throw error;
  }
  return {
    folderOf: (mount) => join(folder, held.get(cacheName(mount))?.name ?? cacheName(mount)),
    [Symbol.dispose]: release,
  };
}

/**
 * Throws away what caches hold, as Docker does at the start of a build whose `--no-cache` covers a step that mounts them. One
 * that is in use elsewhere stays.
 */
export async function emptyCaches(
  store: Pick<BuildStore, "root" | "tryLock">,
  mounts: readonly { readonly kind: string }[],
): Promise<void> {
  const names = new Set(mounts.filter(isCache).map(cacheName));
  if (names.size === 0) return;
  const folder = join(store.root, "cache", "mounts");
  for (const instance of await readdir(folder).catch(() => []))
    if (names.has(instance.split(".")[0] ?? "")) await removeInstance(store, folder, instance);
}

interface Instance {
  readonly name: string;
  readonly lease: { release(): void };
}

async function takeInstance(
  store: Pick<BuildStore, "acquireLock" | "tryLock">,
  name: string,
  sharing: CacheMount["sharing"],
  { signal }: HoldCachesOptions,
): Promise<Instance> {
  signal.throwIfAborted();
  const mode = sharing === "shared" ? "shared" : "exclusive";
  if (sharing !== "locked") {
    for (let number = 0; number < MAX_INSTANCES; number++) {
      const instance = number === 0 ? name : `${name}.${number}`;
      const lease = store.tryLock(lockName(instance), mode);
      if (lease !== undefined) return { name: instance, lease };
    }
  }
  return { name, lease: await store.acquireLock(lockName(name), { mode, signal }) };
}

/** The time of the last access is that of the last use; what the file system notes by itself does no harm. */
async function noteUse(folder: string, nowMs: number): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (found !== undefined) await utimes(folder, nowMs / 1000, found.mtimeMs / 1000).catch(() => undefined);
}

/** Removes further instances of a cache that are no longer used. The first is the cache itself and stays. */
async function sweep(
  store: Pick<BuildStore, "tryLock">,
  folder: string,
  name: string,
  nowMs: number,
): Promise<void> {
  for (const instance of await readdir(folder).catch(() => [])) {
    if (!instance.startsWith(`${name}.`)) continue;
    const path = join(folder, instance);
    const found = await stat(path).catch(() => undefined);
    if (found === undefined || nowMs - found.atimeMs < UNUSED_MS) continue;
    await removeInstance(store, folder, instance);
  }
}

/** Removes an instance that nobody has. What cannot be removed now is left to a later step. */
async function removeInstance(
  store: Pick<BuildStore, "tryLock">,
  folder: string,
  instance: string,
): Promise<void> {
  const lease = store.tryLock(lockName(instance), "exclusive");
  if (lease === undefined) return;
  const { removeTree } = await import("../../store/index.ts");
  await removeTree(join(folder, instance))
    .catch(() => undefined)
    .finally(() => lease.release());
}

function isCache(mount: { readonly kind: string }): mount is CacheMount {
  return mount.kind === "cache";
}

function lockName(instance: string): string {
  return `cache-mount-${instance}`;
}

/** A cache is told from others by its id and by what it was at first: BuildKit keeps them apart the same way. */
function cacheName({ cacheId, from, folder }: CacheMount): string {
  const beginning = from === undefined ? JSON.stringify(folder ?? null) : from.id;
  const id = posix.normalize(cacheId).replace(/(.)\/+$/, "$1");
  return splitDigest(digestOf(`${id}\n${beginning}`)).hex.slice(0, 24);
}
