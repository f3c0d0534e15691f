import { statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { RegistryError } from "../error.ts";
import { parseToml, TomlError, type TomlTable } from "./toml.ts";

/**
 * Whether a file or folder with settings exists. Of the two dozen places where settings may be most do not, on most
 * machines; to learn that on another thread takes ten times as long as the answer.
 * @throws what the file system says when it does not let us look
 */
export function isThere(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    if (isAbsence(error)) return false;
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
    return isThere(path) ? await readFile(path, "utf8") : undefined;
  } catch (error) {
    // Somebody may have taken it away since.
    if (isAbsence(error)) return undefined;
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
