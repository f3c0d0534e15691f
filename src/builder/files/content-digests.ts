import { lstatSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fsPath } from "../../sys/index.ts";
import { type DigestRecord, DigestTable } from "./digest-table.ts";
import { FileHasher } from "./hash-file.ts";
import type { WorkSlices } from "./pause.ts";
import type { FileStamp, TreeNode } from "./types.ts";

/** Digests of files' bytes, kept so that unchanged files are not read again. */
export interface ContentDigests {
  /** sha256 in hex of a regular file's bytes, where it is known without reading the file. */
  lookup(node: TreeNode): string | undefined;
  /** The same by reading the file; remembered, where that is safe. */
  hash(
    node: TreeNode,
    options: { readonly slices: WorkSlices; readonly signal?: AbortSignal | undefined },
  ): Promise<string>;
}

/**
 * How long after its last change a file may change again without its times showing it. Times that come from a clock
 * with fractions tick every 10 ms at worst; those in whole seconds (old or network file systems) every 2 s.
 */
const FINE_TICK_MS = 50;
const COARSE_TICK_MS = 2000;

const DAY_MS = 24 * 60 * 60 * 1000;
const KEPT_DAYS = 30;

/**
 * ContentDigests in a file. What was changed so recently that the next change might leave the same times (git calls such
 * files "racy") is hashed but not remembered: so right after a checkout the files of its last moment are read once more
 * by the next build, and no others.
 */
export class ContentDigestFile implements ContentDigests {
  readonly #path: string;
  readonly #now: () => number;
  readonly #today: number;
  readonly #hasher = new FileHasher();
  /** As the file had them. */
  readonly #table: DigestTable;
  /** Found out since; undefined for what must not be remembered. */
  readonly #news = new Map<string, DigestRecord | undefined>();
  #isChanged = false;

  private constructor(path: string, table: DigestTable, now: () => number) {
    this.#path = path;
    this.#table = table;
    this.#now = now;
    this.#today = Math.floor(now() / DAY_MS);
  }

  /** Reads the file; starts empty when it is missing or damaged. */
  static async open(path: string, options: { readonly now: () => number }): Promise<ContentDigestFile> {
    const bytes = await readFile(path).catch(() => Buffer.alloc(0));
    return new ContentDigestFile(path, DigestTable.decode(bytes), options.now);
  }

  lookup(node: TreeNode): string | undefined {
    const stamp = stampOf(node);
    if (this.#news.size > 0 && this.#news.has(node.hostPath)) {
      const record = this.#news.get(node.hostPath);
      return record !== undefined && isSame(record, node.size, stamp) ? record.digest : undefined;
    }
    const index = this.#table.find(node.hostPath);
    if (index < 0 || !this.#table.isSame(index, node.size, stamp)) return undefined;
    if (this.#table.touch(index, this.#today)) this.#isChanged = true;
    return this.#table.digestAt(index);
  }

  async hash(
    node: TreeNode,
    options: { readonly slices: WorkSlices; readonly signal?: AbortSignal | undefined },
  ): Promise<string> {
    const { size } = node;
    const { dev, ino, mtimeMs, ctimeMs } = stampOf(node);
    const startedAtMs = this.#now();
    const digest = await this.#hasher.hash(node, options);
    const record = { size, dev, ino, mtimeMs, ctimeMs, usedOnDay: this.#today, digest };
    const mayRemember = isSettled(ctimeMs, startedAtMs);
    if (!mayRemember && this.#table.find(node.hostPath) < 0 && !this.#news.has(node.hostPath)) return digest;
    this.#news.set(node.hostPath, mayRemember ? record : undefined);
    this.#isChanged = true;
    return digest;
  }

  /** Writes what is new, whole or not at all. Of two processes that save at once the later one wins. */
  async save(): Promise<void> {
    if (!this.#isChanged) return;
    const temporary = `${this.#path}.${process.pid}.tmp`;
    try {
      await mkdir(dirname(this.#path), { recursive: true });
      await writeFile(temporary, DigestTable.encode(this.#kept()));
      await rename(temporary, this.#path);
      this.#isChanged = false;
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  /** All records worth keeping, those of files that were not asked for lately left out. */
  *#kept(): Generator<readonly [string, DigestRecord], void, undefined> {
    const oldest = this.#today - KEPT_DAYS;
    const written = new Set<string>();
    for (const [path, record] of this.#table.records()) {
      const news = this.#news.get(path);
      if (news !== undefined) {
        written.add(path);
        yield [path, news];
      } else if (!this.#news.has(path) && record.usedOnDay >= oldest) {
        yield [path, record];
      }
    }
    for (const [path, record] of this.#news)
      if (record !== undefined && !written.has(path)) yield [path, record];
  }
}

function stampOf(node: TreeNode): FileStamp {
  return node.stamp ?? lstatSync(fsPath(node.hostPath));
}

function isSame(record: DigestRecord, size: number, stamp: FileStamp): boolean {
  return (
    record.size === size &&
    record.mtimeMs === stamp.mtimeMs &&
    record.ctimeMs === stamp.ctimeMs &&
    record.ino === stamp.ino &&
    record.dev === stamp.dev
  );
}

/** Only ctime counts: it follows every change of the bytes, and nobody can set it. */
function isSettled(ctimeMs: number, readAtMs: number): boolean {
  const tick = Number.isInteger(ctimeMs / 1000) ? COARSE_TICK_MS : FINE_TICK_MS;
  return ctimeMs + tick <= readAtMs;
}
