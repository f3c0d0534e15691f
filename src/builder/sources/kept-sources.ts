import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { SourceStore } from "../collaborators.ts";

/** What is kept of sources from elsewhere: downloads and repositories, each by a name that stands for its address. */
export type SourceKind = "http" | "git";

/** What no build has used for so long is removed. */
const UNUSED_MS = 14 * 24 * 3600 * 1000;
/** Of each kind, the ones used last are kept. */
const MAX_SOURCES: Readonly<Record<SourceKind, number>> = { http: 1000, git: 50 };
const MAX_TREES_OF_A_REPOSITORY = 20;
/** All downloads together. */
const MAX_DOWNLOADED_BYTES = 10 * 2 ** 30;

/**
 * The sources that a build uses of those kept in the store. Until they are released nobody removes them, nor what a
 * source was before it changed; releasing removes what has not been used for long.
 *
 *     cache/http/NAME/record.json, SHA256     the newest download of a URL; older ones while somebody reads them
 *     cache/git/NAME/repository, trees/KEY    a remote and the files of its commits
 */
export class KeptSources {
  readonly #store: SourceStore;
  readonly #now: () => number;
  readonly #held = new Map<string, Promise<{ release(): void }>>();

  /** @param now milliseconds since the epoch */
  constructor(store: SourceStore, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  /** The folder of a source; it may not be there yet, and stays once it is. @throws the signal's reason */
  async hold(kind: SourceKind, name: string, signal: AbortSignal): Promise<string> {
    const lease = useLease(kind, name);
    let held = this.#held.get(lease);
    if (held === undefined) {
      held = this.#store.acquireLock(lease, { mode: "shared", signal });
      this.#held.set(lease, held);
    }
    await held;
    return join(this.#store.root, "cache", kind, name);
  }

  /** Ends the use of all, and sweeps if there was any. Never throws: what cannot be removed is left to the next build. */
  async release(): Promise<void> {
    const names = [...this.#held.keys()];
    for (const held of this.#held.values()) (await held.catch(() => undefined))?.release();
    this.#held.clear();
    try {
      for (const kind of ["http", "git"] as const) {
        const used = names.filter((name) => name.startsWith(useLease(kind, "")));
        if (used.length === 0) continue;
        await this.#sweep(kind);
        for (const lease of used) await this.#sweepInside(kind, lease.slice(useLease(kind, "").length));
      }
    } catch {
      // E.g. a store that we may only read.
    }
  }

  async #sweep(kind: SourceKind): Promise<void> {
    const folder = join(this.#store.root, "cache", kind);
    const kept = await newestFirst(folder);
    let bytes = 0;
    for (const [index, { name, mtimeMs }] of kept.entries()) {
      if (kind === "http") bytes += await sizeOf(join(folder, name));
      const isWanted =
        this.#now() - mtimeMs < UNUSED_MS && index < MAX_SOURCES[kind] && bytes <= MAX_DOWNLOADED_BYTES;
      if (!isWanted) await this.#removeIfUnused(kind, name, [join(folder, name)]);
    }
  }

  /** What a source has kept of its past. */
  async #sweepInside(kind: SourceKind, name: string): Promise<void> {
    const folder = join(this.#store.root, "cache", kind, name);
    const old = kind === "http" ? await olderDownloads(folder) : await this.#oldTrees(join(folder, "trees"));
    if (old.length > 0) await this.#removeIfUnused(kind, name, old);
  }

  async #oldTrees(folder: string): Promise<readonly string[]> {
    const trees = await newestFirst(folder);
    return trees
      .filter(
        ({ mtimeMs }, index) => this.#now() - mtimeMs >= UNUSED_MS || index >= MAX_TREES_OF_A_REPOSITORY,
      )
      .map(({ name }) => join(folder, name));
  }

  async #removeIfUnused(kind: SourceKind, name: string, paths: readonly string[]): Promise<void> {
    const lease = this.#store.tryLock(useLease(kind, name), "exclusive");
    if (lease === undefined) return;
    try {
      const { removeTree } = await import("../../store/index.ts");
      for (const path of paths) await removeTree(path);
    } finally {
      lease.release();
    }
  }
}

function useLease(kind: SourceKind, name: string): string {
  return `use-${kind}-${name}`;
}

async function newestFirst(
  folder: string,
): Promise<readonly { readonly name: string; readonly mtimeMs: number }[]> {
  const found = [];
  for (const name of await readdir(folder).catch(() => [])) {
    const stats = await stat(join(folder, name)).catch(() => undefined);
    if (stats !== undefined) found.push({ name, mtimeMs: stats.mtimeMs });
  }
  return found.sort((a, b) => b.mtimeMs - a.mtimeMs);
}

/** Bytes of the files in a folder. */
async function sizeOf(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folder).catch(() => []))
    bytes += (await stat(join(folder, name)).catch(() => undefined))?.size ?? 0;
  return bytes;
}

async function olderDownloads(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  if (names.length <= 2) return [];
  const record = JSON.parse(await readFile(join(folder, "record.json"), "utf8")) as {
    readonly sha256: string;
  };
  return names
    .filter((name) => name !== "record.json" && name !== record.sha256)
    .map((name) => join(folder, name));
}
