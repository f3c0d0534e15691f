import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type Digest, splitDigest } from "../oci/digest.ts";
import type { Ingredient } from "./cache-key.ts";
import { type CacheRecord, decodeCacheRecord } from "./record.ts";

/** A record as listed: with the times that a collection goes by. */
export interface ListedRecord {
  readonly record: CacheRecord;
  readonly lastUsedAt: Date;
}

/**
 * The build cache: records by key, and which layer has which content identity. Files under one folder, each
 * written whole and renamed into place; several processes may use it at once. A record that cannot be read is a
 * miss. What a record names may have been collected since: whoever uses it checks that the layer is there.
 */
export class BuildCache {
  readonly #folder: string;
  #serial = 0;

  /** @param folder `cache/` of a store; made when first written to. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The record under `key`, noting that it was used. */
  async lookup(key: Digest): Promise<CacheRecord | undefined> {
    const path = this.#recordPath(key);
    const record = decodeCacheRecord(await readJson(path));
    if (record === undefined || record.key !== key) return undefined;
    // The time of last use is the file's mtime: nothing else has to be written on a hit.
    const now = new Date();
    await utimes(path, now, now).catch(() => undefined);
    return record;
  }

  /** Stores a record, and its layer as the one for its content identity unless there is one already. */
  async store(record: CacheRecord): Promise<void> {
    await this.#write(this.#recordPath(record.key), record);
  }

  /** The layer that already stands for a content identity: the first one made. */
  async layerOf(
    identity: Digest,
  ): Promise<{ readonly diffId: Digest; readonly createdAt: string } | undefined> {
    const found = await readJson(this.#path("content", identity));
    if (typeof found !== "object" || found === null) return undefined;
    const { diffId, createdAt } = found as { diffId?: unknown; createdAt?: unknown };
    if (typeof diffId !== "string" || typeof createdAt !== "string") return undefined;
    return { diffId: diffId as Digest, createdAt };
  }

  async storeLayerOf(
    identity: Digest,
    layer: { readonly diffId: Digest; readonly createdAt: string },
  ): Promise<void> {
    await this.#write(this.#path("content", identity), layer);
  }

  /** The full key that a cheap key (made without reading any file) stood for the last time. */
  async lookupAlias(cheapKey: Digest): Promise<Digest | undefined> {
    const found = await readJson(this.#path("alias", cheapKey));
    return typeof found === "string" ? (found as Digest) : undefined;
  }

  async storeAlias(cheapKey: Digest, key: Digest): Promise<void> {
    await this.#write(this.#path("alias", cheapKey), key);
  }

  /** Keeps the list of files that a key's content digest stands for, so that a miss can be explained file by file. */
  async storeFiles(content: Digest, files: readonly Ingredient[]): Promise<void> {
    const path = this.#path("files", content);
    if ((await stat(path).catch(() => undefined)) === undefined) await this.#write(path, files, 0);
  }

  /** The files behind a content digest; undefined when they were not kept. */
  async files(content: Digest): Promise<readonly Ingredient[] | undefined> {
    const found = await readJson(this.#path("files", content));
    return Array.isArray(found) ? (found as readonly Ingredient[]) : undefined;
  }

  /** All readable records, in no order. */
  async *list(): AsyncGenerator<ListedRecord> {
    const root = join(this.#folder, "keys");
    for (const shard of await readdir(root).catch(() => [])) {
      for (const name of await readdir(join(root, shard)).catch(() => [])) {
        const path = join(root, shard, name);
        const record = decodeCacheRecord(await readJson(path));
        if (record === undefined) continue;
        const { mtime } = await stat(path).catch(() => ({ mtime: new Date(record.createdAt) }));
        yield { record, lastUsedAt: mtime };
      }
    }
  }

  #recordPath(key: Digest): string {
    return this.#path("keys", key);
  }

  #path(kind: "keys" | "content" | "alias" | "files", digest: Digest): string {
    const { hex } = splitDigest(digest);
    return join(this.#folder, kind, hex.slice(0, 2), `${hex}.json`);
  }

  async #write(path: string, value: unknown, indent: number = 1): Promise<void> {
    const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.${this.#serial++}`);
    const text = `${JSON.stringify(value, null, indent)}\n`;
    try {
      await writeFile(temporary, text).catch(async (error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") throw error;
        await mkdir(dirname(path), { recursive: true });
        await writeFile(temporary, text);
      });
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch {
    // Missing, unreadable or cut short by a crash: all the same, a miss that the next run mends.
    return undefined;
  }
}
