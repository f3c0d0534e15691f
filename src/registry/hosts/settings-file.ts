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
    if ((error as NodeJS.ErrnoException).code === "ENOTDIR") return false;
    throw error;
  }
}

/** The text of a settings file; undefined where there is none. @throws {RegistryError} CONFIG_INVALID */
export async function readConfigFile(path: string): Promise<string | undefined> {
  try {
    return isThere(path) ? await readFile(path, "utf8") : undefined;
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
