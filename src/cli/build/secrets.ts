import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { SecretSource } from "../../builder/types.ts";
import { parseAttributes } from "../args/csv.ts";
import { CliError, usageError } from "../error.ts";

/** BuildKit's bound; a larger file is more likely the wrong one. */
const MAX_SECRET_BYTES = 500 * 1024;

export interface SecretContext {
  readonly cwd: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly warn: (message: string) => void;
}

/**
 * `--secret id=ID[,src=FILE|,env=NAME]`. With an id alone it is the variable of that name if there
 * is one, else the file. The value of a variable is taken now, that of a file when a step needs it.
 * @throws {CliError} USAGE, INPUT_UNUSABLE
 */
export async function parseSecret(
  text: string,
  { cwd, variables, warn }: SecretContext,
): Promise<SecretSource> {
  const given = readSecretAttributes(text);
  const { id } = given;
  if (id === undefined || id === "")
    throw usageError(
      `Cannot read --secret "${text}": secret missing ID`,
      "Write id=ID,src=FILE or id=ID,env=NAME",
    );
  const variable = given.env ?? (given.path === undefined && variables[id] !== undefined ? id : undefined);
  if (variable !== undefined) {
    // A variable that isn't set makes an empty secret in Docker, and pipelines without the right to it rely on that.
    const value = variables[variable];
    if (value === undefined) warn(`Secret "${id}" is empty: the variable "${variable}" is not set`);
    return { id, from: { kind: "env", value: Buffer.from(value ?? "") } };
  }
  const path = resolve(cwd, given.path ?? id);
  await checkSecretFile(id, path, given.path === undefined);
  return { id, from: { kind: "file", path } };
}

function readSecretAttributes(text: string): { id?: string; path?: string; env?: string } {
  const given: { id?: string; path?: string; env?: string } = {};
  let type: string | undefined;
  for (const { key, value } of parseAttributes(text, "--secret")) {
    switch (key) {
      case "id":
        given.id = value;
        break;
      case "src":
      case "source":
        given.path = value;
        break;
      case "env":
        given.env = value;
        break;
      case "type":
        if (value !== "file" && value !== "env")
          throw usageError(
            `Cannot read --secret "${text}": unsupported secret type "${value}"`,
            "It is file or env",
          );
        type = value;
        break;
      default:
        throw usageError(
          `Cannot read --secret "${text}": unexpected key '${key}'`,
          "Keys are id, src, env and type",
        );
    }
  }
  if (type === "env" && given.env === undefined && given.path !== undefined) {
    return { ...(given.id === undefined ? {} : { id: given.id }), env: given.path };
  }
  return given;
}

async function checkSecretFile(id: string, path: string, isGuess: boolean): Promise<void> {
  const found = await stat(path).catch((cause: unknown) => {
    const what = isGuess
      ? `neither a variable "${id}" nor a file "${path}" is there`
      : `cannot read "${path}"`;
    throw new CliError("INPUT_UNUSABLE", `Cannot read secret "${id}": ${what}`, { cause });
  });
  if (found.isDirectory())
    throw new CliError("INPUT_UNUSABLE", `Cannot read secret "${id}": "${path}" is a folder`);
  if (found.size > MAX_SECRET_BYTES) {
    throw new CliError(
      "INPUT_UNUSABLE",
      `Cannot use secret "${id}": "${path}" has ${found.size} bytes, more than ${MAX_SECRET_BYTES}`,
    );
  }
}
