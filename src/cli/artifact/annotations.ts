import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { isObject } from "../../util/is-object.ts";
import { splitPair } from "../args/values.ts";
import { CliError, usageError } from "../error.ts";

type Annotations = Readonly<Record<string, string>>;

/** What the parts of an artifact are annotated with. */
export interface ArtifactAnnotations {
  readonly manifest: Annotations;
  readonly config: Annotations;
  /** By file, as the command line names it. */
  readonly files: ReadonlyMap<string, Annotations>;
}

/**
 * Puts together `--annotation KEY=VALUE`, which are the manifest's, and `--annotation-file`: JSON as oras has it, with
 * `$manifest`, `$config` and the names of files. The flag wins.
 * @throws {CliError} USAGE, INPUT_UNUSABLE
 */
export async function readAnnotations(
  given: readonly string[],
  file: string | undefined,
  cwd: string,
): Promise<ArtifactAnnotations> {
  const byPart = file === undefined ? new Map<string, Annotations>() : await readAnnotationFile(file, cwd);
  const manifest = { ...byPart.get("$manifest") };
  for (const text of given) {
    const { key, value } = splitPair(text);
    if (key === "" || value === undefined)
      throw usageError(`Cannot read --annotation "${text}": it is no KEY=VALUE`);
    manifest[key] = value;
  }
  const files = new Map([...byPart].filter(([part]) => part !== "$manifest" && part !== "$config"));
  return { manifest, config: byPart.get("$config") ?? {}, files };
}

async function readAnnotationFile(file: string, cwd: string): Promise<ReadonlyMap<string, Annotations>> {
  let text: string;
  try {
    text = await readFile(resolve(cwd, file), "utf8");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new CliError("INPUT_UNUSABLE", `Cannot read --annotation-file "${file}": ${code}`, { cause });
  }
  try {
    return new Map(
      entriesOf(JSON.parse(text)).map(([part, value]) => [part, Object.fromEntries(textsOf(part, value))]),
    );
  } catch (cause) {
    const state = cause instanceof SyntaxError ? "it is no JSON" : (cause as Error).message;
    throw new CliError("INPUT_UNUSABLE", `Cannot use --annotation-file "${file}": ${state}`, {
      hint: 'Write {"$manifest": {"KEY": "VALUE"}, "FILE": {"KEY": "VALUE"}}',
      cause,
    });
  }
}

function textsOf(part: string, value: unknown): readonly (readonly [string, string])[] {
  return entriesOf(value).map(([key, text]) => {
    if (typeof text === "string") return [key, text];
    throw new TypeError(`"${key}" of "${part}" is no text`);
  });
}

function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  if (!isObject(value)) throw new TypeError("it is no object of objects");
  return Object.entries(value);
}
