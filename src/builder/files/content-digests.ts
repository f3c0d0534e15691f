import { lstatSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fsPath } from "../../sys/index.ts";
import { FileHasher } from "./hash-file.ts";
import type { WorkSlices } from "./pause.ts";
import type { FileStamp, TreeNode } from "./types.ts";

/** Digests of files' bytes, kept so that unchanged files are not read again. */
export interface ContentDigests {
  /** sha256 in hex of a regular file's bytes. */
  digestOf(
    node: TreeNode,
    options: { readonly slices: WorkSlices; readonly signal?: AbortSignal | undefined },
  ): Promise<string>;
}

const HEADER = "strake content digests 1";

/**
 * How long after its last change a file may change again without its times showing it. Times that come from a clock
 * with fractions tick every 10 ms at worst; those in whole seconds (old or network file systems) every 2 s.
 */
const FINE_TICK_MS = 50;
const COARSE_TICK_MS = 2000;

/**
 * ContentDigests in a file: one line for each file, `digest size dev ino mtime ctime path`. A file whose last change
 * is so recent that the next one might leave the same times (git calls this "racy") is hashed but not remembered.
 */
export class ContentDigestFile implements ContentDigests {
  readonly #path: string;
  readonly #now: () => number;
  readonly #hasher = new FileHasher();
  /** By host path: the rest of the line. */
  #lines: Map<string, string>;
  #isChanged = false;

  private constructor(path: string, lines: Map<string, string>, now: () => number) {
    this.#path = path;
    this.#lines = lines;
    this.#now = now;
  }

  /** Reads the file; starts empty when it is missing or not in this version's format. */
  static async open(path: string, options: { readonly now: () => number }): Promise<ContentDigestFile> {
    const text = await readFile(path, "latin1").catch(() => "");
    return new ContentDigestFile(path, parseLines(text), options.now);
  }

  async digestOf(
    node: TreeNode,
    options: { readonly slices: WorkSlices; readonly signal?: AbortSignal | undefined },
  ): Promise<string> {
    const stamp = stampOf(node);
    const facts = `${node.size} ${stamp.dev} ${stamp.ino} ${stamp.mtimeMs} ${stamp.ctimeMs}`;
    const known = this.#lines.get(node.hostPath);
    if (
      known?.startsWith(facts, DIGEST_CHARACTERS + 1) &&
      known.length === DIGEST_CHARACTERS + 1 + facts.length
    )
      return known.slice(0, DIGEST_CHARACTERS);

    const startedAtMs = this.#now();
    const digest = await this.#hasher.hash(node, options);
    if (isSettled(stamp, startedAtMs)) {
      this.#lines.set(node.hostPath, `${digest} ${facts}`);
      this.#isChanged = true;
    } else if (known !== undefined) {
      this.#lines.delete(node.hostPath);
      this.#isChanged = true;
    }
    return digest;
  }

  /** Writes what is new, whole or not at all. Of two processes that save at once the later one wins. */
  async save(): Promise<void> {
    if (!this.#isChanged) return;
    const text = [HEADER];
    for (const [path, line] of this.#lines) if (!path.includes("\n")) text.push(`${line} ${path}`);
    const temporary = `${this.#path}.${process.pid}.tmp`;
    try {
      await mkdir(dirname(this.#path), { recursive: true });
      await writeFile(temporary, `${text.join("\n")}\n`, "latin1");
      await rename(temporary, this.#path);
      this.#isChanged = false;
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  /** Forgets files below a folder that were not asked for since the file was opened. */
  get size(): number {
    return this.#lines.size;
  }
}

const DIGEST_CHARACTERS = 64;

function stampOf(node: TreeNode): FileStamp {
  if (node.stamp !== undefined) return node.stamp;
  const { dev, ino, mtimeMs, ctimeMs } = lstatSync(fsPath(node.hostPath));
  return { dev, ino, mtimeMs, ctimeMs };
}

/** Only ctime counts: it follows every change of the bytes, and nobody can set it. */
function isSettled({ ctimeMs }: FileStamp, readAtMs: number): boolean {
  const tick = Number.isInteger(ctimeMs / 1000) ? COARSE_TICK_MS : FINE_TICK_MS;
  return ctimeMs + tick <= readAtMs;
}

function parseLines(text: string): Map<string, string> {
  const lines = new Map<string, string>();
  if (!text.startsWith(`${HEADER}\n`)) return lines;
  let start = HEADER.length + 1;
  for (let end = text.indexOf("\n", start); end >= 0; end = text.indexOf("\n", start)) {
    // digest size dev ino mtime ctime path: the path begins behind the sixth blank, and may have blanks itself.
    let split = start + DIGEST_CHARACTERS;
    for (let blanks = 0; blanks < 5 && split >= 0; blanks++) split = text.indexOf(" ", split + 1);
    if (split > start && split < end) lines.set(text.slice(split + 1, end), text.slice(start, split));
    start = end + 1;
  }
  return lines;
}
