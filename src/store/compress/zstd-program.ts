import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, statSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { StoreError } from "../error.ts";

/** From here on the program wants to be told that the memory (up to 2 GiB) is meant. */
const FIRST_ULTRA_LEVEL = 20;
/** What is kept of its complaints. */
const MAX_MESSAGE_BYTES = 2000;

export interface ZstdProgramOptions {
  /** Absolute. */
  readonly program: string;
  /** 1 to 22. */
  readonly level: number;
}

/** The machine's `zstd`, as an absolute path, by a list of folders like PATH. */
export function findZstdProgram(searchPath: string): string | undefined {
  return searchPath
    .split(":")
    .filter((folder) => folder.startsWith("/"))
    .map((folder) => `${folder}/zstd`)
    .find(isExecutableFile);
}

/**
 * Compresses to one zstd frame with a checksum, by the machine's `zstd` program, with all cores. The output depends on the
 * input, the level and the version of the program: it makes the same bytes whatever the number of cores.
 * @throws {StoreError} COMPRESSION_UNAVAILABLE with what the program said; whatever `bytes` throws
 */
export async function* zstdByProgram(
  bytes: AsyncIterable<Uint8Array>,
  { program, level }: ZstdProgramOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const ultra = level >= FIRST_ULTRA_LEVEL ? ["--ultra"] : [];
  const child = spawn(program, ["-q", "-c", "-T0", "--check", ...ultra, `-${level}`], {
    stdio: ["pipe", "pipe", "pipe"],
    env: { LC_ALL: "C" },
  });
  const ended = exitOf(child);
  const feeding = feed(bytes, child);
  // Both are waited for below, but may fail before that.
  for (const work of [ended, feeding]) work.catch(() => undefined);
  try {
    for await (const chunk of child.stdout) yield chunk as Uint8Array;
    const { exitCode, message } = await ended;
    await feeding;
    if (exitCode === 0) return;
    throw new StoreError(
      "COMPRESSION_UNAVAILABLE",
      `Cannot compress with zstd: ${message || `"${program}" ended with ${exitCode ?? "a signal"}`}`,
    );
  } finally {
    child.kill("SIGKILL");
    await ended.catch(() => undefined);
    await feeding.catch(() => undefined);
  }
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** A source that fails must not look like one that ended: the program would make a sound file of half of it. */
async function feed(bytes: AsyncIterable<Uint8Array>, child: Child): Promise<void> {
  let sourceError: unknown;
  async function* watched(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* bytes;
    } catch (error) {
      sourceError = error;
      child.stdout.destroy(error instanceof Error ? error : new Error(String(error)));
      throw error;
    }
  }
  // Otherwise it is the program that went away, and its exit code tells.
  await pipeline(watched(), child.stdin).catch(() => undefined);
  if (sourceError !== undefined) throw sourceError;
}

async function exitOf(child: Child): Promise<{ readonly exitCode: number | null; readonly message: string }> {
  let message = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    if (message.length < MAX_MESSAGE_BYTES) message += text;
  });
  const [exitCode] = (await once(child, "close")) as [number | null];
  return { exitCode, message: message.trim() };
}

function isExecutableFile(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
