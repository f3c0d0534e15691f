import { lstatSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fsPath } from "../../sys/index.ts";
import { type DigestRecord, decodeDigestTable, encodeDigestTable } from "./digest-table.ts";
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
  readonly #records: Map<string, DigestRecord>;
  #isChanged = false;

  private constructor(path: string, records: Map<string, DigestRecord>, now: () => number) {
    this.#path = path;
    this.#records = records;
    this.#now = now;
    this.#today = Math.floor(now() / DAY_MS);
  }

  /** Reads the file; starts empty when it is missing or damaged. */
  static async open(path: string, options: { readonly now: () => number }): Promise<ContentDigestFile> {
    const bytes = await readFile(path).catch(() => Buffer.alloc(0));
    return new ContentDigestFile(path, decodeDigestTable(bytes), options.now);
  }

  lookup(node: TreeNode): string | undefined {
    const record = this.#records.get(node.hostPath);
    if (record === undefined || record.size !== node.size) return undefined;
    const stamp = stampOf(node);
    const isSame =
      record.mtimeMs === stamp.mtimeMs &&
      record.ctimeMs === stamp.ctimeMs &&
      record.ino === stamp.ino &&
      record.dev === stamp.dev;
    if (!isSame) return undefined;
    if (record.usedOnDay !== this.#today) {
      record.usedOnDay = this.#today;
      this.#isChanged = true;
    }
    return record.digest;
  }

  async hash(
    node: TreeNode,
    options: { readonly slices: WorkSlices; readonly signal?: AbortSignal | undefined },
  ): Promise<string> {
    const { dev, ino, mtimeMs, ctimeMs } = stampOf(node);
    const startedAtMs = this.#now();
    const digest = await this.#hasher.hash(node, options);
    if (isSettled(ctimeMs, startedAtMs)) {
      this.#records.set(node.hostPath, {
        size: node.size,
        dev,
        ino,
        mtimeMs,
        ctimeMs,
        usedOnDay: this.#today,
        digest,
      });
      this.#isChanged = true;
    } else if (this.#records.delete(node.hostPath)) {
      this.#isChanged = true;
    }
    return digest;
  }

  /** Writes what is new, whole or not at all. Of two processes that save at once the later one wins. */
  async save(): Promise<void> {
    if (!this.#isChanged) return;
    for (const [path, { usedOnDay }] of this.#records) {
      if (usedOnDay < this.#today - KEPT_DAYS) this.#records.delete(path);
    }
    const temporary = `${this.#path}.${process.pid}.tmp`;
    try {
      await mkdir(dirname(this.#path), { recursive: true });
      await writeFile(temporary, encodeDigestTable(this.#records));
      await rename(temporary, this.#path);
      this.#isChanged = false;
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }
}

function stampOf(node: TreeNode): FileStamp {
  return node.stamp ?? lstatSync(fsPath(node.hostPath));
}

/** Only ctime counts: it follows every change of the bytes, and nobody can set it. */
function isSettled(ctimeMs: number, readAtMs: number): boolean {
  const tick = Number.isInteger(ctimeMs / 1000) ? COARSE_TICK_MS : FINE_TICK_MS;
  return ctimeMs + tick <= readAtMs;
}
