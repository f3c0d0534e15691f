import { stat } from "node:fs/promises";
import { basename, isAbsolute, join, normalize, resolve } from "node:path";
import { redactCredentials } from "../../builder/redact-url.ts";
import type { BuildOptions, ContextSource } from "../../builder/types.ts";
import { CliError, usageError } from "../error.ts";
import { isHttpUrl, isRemoteContext } from "./context-source.ts";
import { emptyArchive, readDockerfile, readStdinContext } from "./stdin-context.ts";

export type Dockerfile = BuildOptions["dockerfile"];

export interface BuildInputs {
  readonly context: ContextSource;
  readonly dockerfile: Dockerfile;
}

/** What a Dockerfile from standard input is called in messages. */
export const STDIN_NAME = "<stdin>";
const DEFAULT_NAME = "Dockerfile";

/**
 * Settles where the context and the Dockerfile come from: a folder, `-`, or a URL; and `-f`. Of a context that is an
 * archive or remote, the Dockerfile's path is relative to it.
 * @throws {CliError} USAGE, INPUT_UNUSABLE
 */
export async function resolveInputs(
  operand: string,
  file: string | undefined,
  { cwd, stdin }: { readonly cwd: string; readonly stdin: AsyncIterable<Uint8Array> },
): Promise<BuildInputs> {
  if (operand === "-") {
    if (file === "-") {
      throw usageError("Cannot read both the context and the Dockerfile from standard input");
    }
    const found = await readStdinContext(stdin);
    if (found.kind === "tar") {
      const dockerfile = downloaded(file) ?? insideContext(file);
      return { context: { kind: "tar-stream", open: found.open }, dockerfile };
    }
    if (file !== undefined) {
      throw usageError(
        "Ambiguous Dockerfile: there is one on standard input, and one named with -f",
        `Leave -f out, or give a context other than -: strake build -f ${redactCredentials(file)} .`,
      );
    }
    return { context: { kind: "tar-stream", open: emptyArchive }, dockerfile: textOf(found.text) };
  }
  const context = await openContext(operand, cwd);
  if (file === "-") return { context, dockerfile: textOf(await readDockerfile(stdin)) };
  const remote = downloaded(file);
  if (remote !== undefined) return { context, dockerfile: remote };
  if (context.kind === "url") {
    // An absolute path is one of this machine: nothing inside a repository is called that.
    const isHere = file !== undefined && isAbsolute(file);
    return { context, dockerfile: isHere ? await locate(file, file, cwd) : insideContext(file) };
  }
  if (file !== undefined) return { context, dockerfile: await locate(file, file, cwd, operand) };
  return { context, dockerfile: await defaultDockerfile(operand, cwd) };
}

async function openContext(operand: string, cwd: string): Promise<ContextSource> {
  if (operand === "") throw usageError("The context is empty", "Name a folder: strake build .");
  const path = resolve(cwd, operand);
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => error);
  if (!(found instanceof Error)) {
    if (found.isDirectory()) return { kind: "dir", path };
    throw new CliError("INPUT_UNUSABLE", `Cannot use context "${operand}": it is no folder`, {
      hint: /dockerfile/i.test(basename(operand))
        ? `The Dockerfile is named with -f, the context is a folder: strake build -f ${operand} .`
        : `An archive is read from standard input: strake build - < ${operand}`,
    });
  }
  if (isRemoteContext(operand)) return { kind: "url", url: operand };
  throw new CliError("INPUT_UNUSABLE", `Cannot use context "${operand}": ${describe(found)}`, {
    hint: "The context is a folder, - for standard input, or a URL",
  });
}

/** `Dockerfile` in the context, or `dockerfile` where only that is there. */
async function defaultDockerfile(operand: string, cwd: string): Promise<Dockerfile> {
  const shown = (name: string): string => normalize(join(operand, name));
  for (const name of [DEFAULT_NAME, DEFAULT_NAME.toLowerCase()]) {
    const path = resolve(cwd, operand, name);
    if (await isReadableKind(path)) return { kind: "path", path, shownAs: shown(name) };
  }
  throw missingDockerfile(shown(DEFAULT_NAME), "Name another one with -f FILE");
}

/** A Dockerfile named with `-f`: relative to the current folder, as in Docker, never to the context. */
async function locate(file: string, shownAs: string, cwd: string, operand?: string): Promise<Dockerfile> {
  const path = resolve(cwd, file);
  if (await isReadableKind(path)) return { kind: "path", path, shownAs };
  const inContext =
    operand !== undefined && !isAbsolute(file) && (await isReadableKind(resolve(cwd, operand, file)));
  throw missingDockerfile(
    file,
    inContext ? `-f is relative to the current folder: -f ${join(operand, file)}` : undefined,
  );
}

/** In the builder's words, which are Docker's. */
function missingDockerfile(shownAs: string, hint: string | undefined): CliError {
  const message = `failed to read dockerfile: open ${shownAs}: no such file or directory`;
  return new CliError("INPUT_UNUSABLE", message, { hint });
}

/** A file, or a pipe as in `-f <(generate)`. */
async function isReadableKind(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && !found.isDirectory();
}

/** `-f URL` */
function downloaded(file: string | undefined): Dockerfile | undefined {
  if (file === undefined || !isHttpUrl(file)) return undefined;
  return { kind: "url", url: file, shownAs: redactCredentials(file) };
}

function insideContext(file: string | undefined): Dockerfile {
  const path = normalize(`/${file ?? DEFAULT_NAME}`).slice(1);
  return { kind: "path", path, shownAs: path };
}

function textOf(text: Uint8Array): Dockerfile {
  return { kind: "text", text, shownAs: STDIN_NAME };
}

function describe(error: NodeJS.ErrnoException): string {
  return error.code === "ENOENT" ? "there is no such folder" : error.message;
}
