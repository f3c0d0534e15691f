import { readFile } from "node:fs/promises";
import { RegistryError } from "../error.ts";
import { parseToml, TomlError, type TomlTable } from "./toml.ts";

/** The text of a settings file; undefined where there is none. @throws {RegistryError} CONFIG_INVALID */
export async function readConfigFile(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
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
