import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { buildSync } from "esbuild";
import { afterAll } from "vitest";
import type { BlobOpener } from "../../src/oci/blob-source.ts";
import type { Descriptor } from "../../src/oci/descriptor.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { removeTree } from "../../src/store/index.ts";

const REPOSITORY = join(import.meta.dirname, "../..");

/** A folder of its own for one test file, removed afterwards. */
export function makeScratch(): string {
  const scratch = mkdtempSync(join(tmpdir(), "strake-store-"));
  afterAll(() => removeTree(scratch));
  return scratch;
}

/** Bytes that look random and are the same for the same seed. */
export function noise(bytes: number, seed: string): Buffer {
  const out = Buffer.alloc(bytes);
  for (let at = 0, i = 0; at < bytes; at += 32, i++) {
    createHash("sha256").update(`${seed} ${i}`).digest().copy(out, at);
  }
  return out;
}

export function describeBytes(content: Uint8Array, mediaType = "application/octet-stream"): Descriptor {
  return { mediaType, digest: digestOf(content), size: content.byteLength };
}

/** Serves bytes in chunks, as a registry would. Remembers the offsets it was asked for. */
export function opener(
  content: Uint8Array,
  chunkBytes = 100_000,
): BlobOpener & { readonly offsets: number[] } {
  const offsets: number[] = [];
  const open: BlobOpener = async ({ offset }) => {
    offsets.push(offset);
    return chunks(content.subarray(offset), chunkBytes);
  };
  return Object.assign(open, { offsets });
}

export async function* chunks(content: Uint8Array, chunkBytes = 100_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.byteLength; at += chunkBytes) yield content.subarray(at, at + chunkBytes);
}

/** A tar of a small tree, made by the tar program: bytes that we did not choose. */
export function tarOf(folder: string): Buffer {
  return execFileSync("tar", ["-c", "--sort=name", "-C", folder, "."], { maxBuffer: 1 << 30 });
}

/** Every file below a folder, as relative paths, sorted. */
export function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
}

export function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, "utf8"));
}

/** A program of `programs/`, running in a process of its own. */
export interface Program {
  readonly child: ChildProcess;
  /** Lines that it wrote, so far. */
  readonly lines: readonly string[];
  /** Waits until a line begins so; rejects when the program ends before. */
  waitFor(begin: string): Promise<string>;
  /** Waits until it has written so many lines. */
  waitForLines(count: number): Promise<void>;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
}

/** Bundles a TypeScript program of `programs/` once, and starts it. */
export function startProgram(
  scratch: string,
  name: string,
  args: readonly string[],
  { command = [], uid }: { readonly command?: readonly string[]; readonly uid?: number } = {},
): Program {
  const [file, ...rest] = [...command, process.execPath, bundle(scratch, name), ...args] as [
    string,
    ...string[],
  ];
  const child = spawn(file, rest, {
    stdio: ["pipe", "pipe", "pipe"],
    // The bundle lies elsewhere; koffi is still to be found.
    env: { ...process.env, NODE_PATH: join(REPOSITORY, "node_modules") },
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  const lines: string[] = [];
  const waiting = new Set<{ readonly check: () => void; readonly reject: (reason: Error) => void }>();
  let complaint = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    complaint += chunk.toString();
  });
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
    lines.push(line);
    for (const { check } of waiting) check();
  });
  const ended = new Promise<number | string>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      const end = code ?? signal ?? "";
      for (const { reject } of waiting) reject(new Error(`${name} ended too early (${end}): ${complaint}`));
      resolve(end);
    });
  });
  const wait = <T>(find: () => T | undefined): Promise<T> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        const found = find();
        if (found === undefined) return;
        waiting.delete(waiter);
        resolve(found);
      };
      const waiter = { check, reject };
      waiting.add(waiter);
      check();
    });
  return {
    child,
    lines,
    ended,
    waitFor: (begin) => wait(() => lines.find((line) => line.startsWith(begin))),
    waitForLines: (count) => wait(() => (lines.length >= count ? count : undefined)).then(() => undefined),
  };
}

function bundle(scratch: string, name: string): string {
  const folder = join(scratch, "programs");
  const outfile = join(folder, `${name}.mjs`);
  if (!existsSync(outfile)) {
    mkdirSync(folder, { recursive: true });
    buildSync({
      entryPoints: [join(import.meta.dirname, "programs", `${name}.ts`)],
      outfile,
      bundle: true,
      format: "esm",
      platform: "node",
      target: "node20",
      external: ["koffi"],
      logLevel: "silent",
    });
  }
  return outfile;
}

/** Whether a program is installed. */
export function hasProgram(name: string): boolean {
  return (process.env["PATH"] ?? "").split(":").some((folder) => existsSync(join(folder, name)));
}
