import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { LAYOUT_FILE, LAYOUT_TEXT } from "../oci/image-layout.ts";
import { diskFault, isErrno } from "./disk/disk-fault.ts";
import { StoreError } from "./error.ts";
import { encodeLayoutIndex } from "./images/layout-index.ts";
import type { StorePaths } from "./paths.ts";

/** Raised when an older strake could misread or damage what a newer one wrote. */
const STORE_FORMAT = 1;

/** What a store that is being made for the first time may have in it already. */
const OWN_NAMES = new Set([
  "blobs",
  "cache",
  "images",
  "layers-by-blob",
  "locks",
  LAYOUT_FILE,
  "parts",
  "snapshots",
  "tmp",
]);

/**
 * Makes sure that `root` is a store that we understand; an absent or empty folder becomes one. Synchronous: one small
 * read is all there is to an existing store.
 * @throws {StoreError} STORE_FOREIGN, STORE_TOO_NEW, STORE_CORRUPT, STORE_NOT_WRITABLE, DISK_FULL, DISK_FAILED
 */
export function openFormat(paths: StorePaths): void {
  const found = readFormat(paths) ?? createStore(paths);
  if (found > STORE_FORMAT) {
    throw new StoreError(
      "STORE_TOO_NEW",
      `Cannot open the store "${paths.root}": it has format ${found}, and this strake knows formats up to ${STORE_FORMAT}`,
      { hint: "Use the newer strake that made it, or another store with STRAKE_ROOT" },
    );
  }
}

function readFormat(paths: StorePaths): number | undefined {
  let text: string;
  try {
    text = readFileSync(paths.format, "utf8");
  } catch (error) {
    if (isErrno(error, "ENOENT")) return undefined;
    throw diskFault(`open the store "${paths.root}"`, paths.format, error);
  }
  const format = parseFormat(text);
  if (format !== undefined) return format;
  throw new StoreError(
    "STORE_CORRUPT",
    `Cannot open the store "${paths.root}": "${paths.format}" is damaged`,
    {
      hint: `Write {"format":${STORE_FORMAT}} into it if no newer strake has used this store`,
    },
  );
}

function parseFormat(text: string): number | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const format = (value as { readonly format?: unknown } | null)?.format;
    return typeof format === "number" && Number.isSafeInteger(format) && format > 0 ? format : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The format file comes last: without it the rest is made again, which changes nothing that is there.
 * @returns the store's format
 */
function createStore(paths: StorePaths): number {
  try {
    // Images may hold programs with setuid bits and files that were private: for the owner alone.
    mkdirSync(paths.root, { recursive: true, mode: 0o700 });
    const names = readdirSync(paths.root);
    // Another process may have made it since we looked.
    const made = readFormat(paths);
    if (made !== undefined) return made;
    refuseForeign(paths, names);
    for (const folder of [
      `${paths.root}/blobs/sha256`,
      `${paths.root}/blobs/sha512`,
      paths.images,
      paths.snapshots,
      paths.layersByBlob,
      paths.parts,
      paths.temp,
      paths.locks,
      paths.cache,
    ]) {
      mkdirSync(folder, { recursive: true });
    }
    writeNew(paths.layout, LAYOUT_TEXT);
    writeNew(paths.index, encodeLayoutIndex([]));
    writeNew(paths.format, `${JSON.stringify({ format: STORE_FORMAT })}\n`);
    return STORE_FORMAT;
  } catch (error) {
    throw diskFault(`make the store "${paths.root}"`, paths.root, error);
  }
}

function refuseForeign(paths: StorePaths, names: readonly string[]): void {
  const foreign = names.find(
    (name) =>
      !OWN_NAMES.has(name) && !name.startsWith(".new-") && !(name === "index.json" && isEmptyIndex(paths)),
  );
  if (foreign === undefined) return;
  throw new StoreError(
    "STORE_FOREIGN",
    `Cannot use "${paths.root}" as a store: it is not empty and no store (it has "${foreign}")`,
    { hint: "Name an empty folder, or one that does not exist yet" },
  );
}

function isEmptyIndex(paths: StorePaths): boolean {
  return readFileSync(paths.index, "utf8") === encodeLayoutIndex([]);
}

/** Two processes may make the same store at once; a file that is there wins. */
function writeNew(path: string, content: string): void {
  const temporary = `${path.slice(0, path.lastIndexOf("/"))}/.new-${process.pid}-${path.slice(path.lastIndexOf("/") + 1)}`;
  writeFileSync(temporary, content);
  renameSync(temporary, path);
}
