import { readFileSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { join, normalize, resolve } from "node:path";
import { STDIN_NAME } from "../build/inputs.ts";
import { readDockerfile as readStream } from "../build/stdin-context.ts";
import type { CommandContext } from "../command.ts";
import { CliError } from "../error.ts";

const SMALL_BYTES = 1024 * 1024;

/** A Dockerfile that the command line names. */
export interface NamedDockerfile {
  /** As named; `<stdin>` for `-`. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Absolute; undefined for standard input. */
  readonly path: string | undefined;
  /** The folder that was named instead of the file, absolute. */
  readonly folder: string | undefined;
}

/**
 * Reads the Dockerfile that an operand means: a file, a folder with one in it, or `-`. Errors may then show its lines.
 * @throws {CliError} INPUT_UNUSABLE
 */
export async function readDockerfile(
  operand: string,
  { cwd, stdin, sources }: Pick<CommandContext, "cwd" | "stdin" | "sources">,
): Promise<NamedDockerfile> {
  const found =
    operand === "-"
      ? { name: STDIN_NAME, bytes: await readStream(stdin), path: undefined, folder: undefined }
      : await readOperand(operand, cwd);
  sources.set(found.name, Buffer.from(found.bytes).toString("utf8"));
  return found;
}

async function readOperand(operand: string, cwd: string): Promise<NamedDockerfile> {
  const path = resolve(cwd, operand);
  const bytes = await readFile(path);
  if (bytes instanceof Uint8Array) return { name: operand, bytes, path, folder: undefined };
  if (bytes !== "EISDIR") throw unreadable(operand, bytes);
  for (const name of ["Dockerfile", "dockerfile"]) {
    const inside = await readFile(join(path, name));
    if (inside instanceof Uint8Array) {
      return { name: normalize(join(operand, name)), bytes: inside, path: join(path, name), folder: path };
    }
    if (inside !== "ENOENT") throw unreadable(join(operand, name), inside);
  }
  throw new CliError("INPUT_UNUSABLE", `Cannot find a Dockerfile in the folder "${operand}"`, {
    hint: "Name the file itself when it has another name",
  });
}

/** A file's bytes, or the code of why there are none. @throws {CliError} INPUT_UNUSABLE when it is too large */
async function readFile(path: string): Promise<Uint8Array | string> {
  try {
    // A small file is read sooner than another thread could be asked to; there may be thousands.
    const { size } = statSync(path);
    if (size > 0 && size <= SMALL_BYTES) return readFileSync(path);
    await using file = await open(path);
    return await readStream(file.createReadStream({ autoClose: false }));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined || error instanceof CliError) throw error;
    return code;
  }
}

function unreadable(operand: string, code: string): CliError {
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: "there is no such file",
    ENOTDIR: "there is no such file",
    EACCES: "you may not read it",
  };
  return new CliError("INPUT_UNUSABLE", `Cannot read "${operand}": ${reasons[code] ?? code}`);
}
