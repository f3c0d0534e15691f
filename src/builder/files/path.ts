import type { ByteString } from "../../oci/layer-entry.ts";

export { joinPath, parentPath } from "../../tar/path-rules.ts";

/*
 * Paths inside trees: relative to the root, "" for the root itself. Byte strings and plain text are treated alike,
 * since only "/" and "." matter here.
 */

export const ROOT = "" as ByteString;

/** `.`, `..` and empty parts resolved by their spelling alone; `..` stops at the root. The result is relative. */
export function cleanPath(path: string): ByteString {
  if (!NEEDS_CLEANING.test(path)) return path as ByteString;
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  return parts.join("/") as ByteString;
}

const NEEDS_CLEANING = /^\/|\/$|\/\/|(?:^|\/)\.{1,2}(?:\/|$)/;

/** The last part; "" for the root. */
export function baseName(path: string): ByteString {
  return path.slice(path.lastIndexOf("/") + 1) as ByteString;
}
