import { readFile } from "node:fs/promises";
import type { SecretSource } from "../types.ts";

/**
 * A secret that logs in somewhere: its text without the line's end that files have; undefined where none of that name
 * was given, or an empty one.
 */
export async function readAuthSecret(
  secrets: readonly SecretSource[],
  id: string,
): Promise<string | undefined> {
  const secret = secrets.find((candidate) => candidate.id === id);
  if (secret === undefined) return undefined;
  const bytes = secret.from.kind === "env" ? secret.from.value : await readFile(secret.from.path);
  const text = Buffer.from(bytes).toString("utf8").trim();
  return text === "" ? undefined : text;
}
