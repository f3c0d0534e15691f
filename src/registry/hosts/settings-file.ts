import { readdirSync, readFileSync, type Stats, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { RegistryError } from "../error.ts";
import { parseToml, TomlError, type TomlTable } from "./toml.ts";

/**
 * The names in a folder with settings; undefined where there is none.
 * @throws what the file system says when it does not let us look
 */
export async function listFolder(path: string): Promise<readonly string[] | undefined> {
  return await ifThere(path, () => readdirSync(path));
}

/**
 * Of the two dozen places where settings may be most do not exist, on most machines, and what there is is small: to learn that
 * on another thread takes ten times as long as the answer.
 */
async function ifThere<T>(path: string, use: (found: Stats) => T | Promise<T>): Promise<T | undefined> {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    return found === undefined ? undefined : await use(found);
  } catch (error) {
    // Somebody may have taken it away since.
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

/** Whether the file system says with it that there is nothing, or no folder where one would have to be. */
export function isAbsence(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ENOTDIR";
}

/** The text of a settings file; undefined where there is none. @throws {RegistryError} CONFIG_INVALID */
export async function readConfigFile(path: string): Promise<string | undefined> {
  try {
    // A pipe's writer may let us wait.
    return await ifThere(path, (found) =>
      found.isFile() ? readFileSync(path, "utf8") : readFile(path, "utf8"),
    );
  } catch (error) {
    throw new RegistryError("CONFIG_INVALID", `Cannot read ${path}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** @throws what `fail` makes of the fault in a text that is no TOML */
export function parseConfigToml(text: string, fail: (fault: string) => RegistryError): TomlTable {
  try {
    return parseToml(text);
  } catch (error) {
    if (error instanceof TomlError) throw fail(error.message);
    throw error;
  }
}
