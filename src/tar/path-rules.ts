import type { ByteString } from "../oci/layer-entry.ts";
import { fromByteString } from "../oci/layer-entry.ts";
import { TarError } from "./error.ts";

/**
 * A name from an archive as a path relative to its root: `./`, `//`, `/` at either end and `x/..` go.
 * @throws {TarError} PATH_ESCAPES when it climbs above the root; HEADER_INVALID when it has a NUL
 */
export function cleanPath(name: string): ByteString {
  if (isClean(name)) return name as ByteString;
  if (name.includes("\0")) {
    throw new TarError("HEADER_INVALID", `Cannot read archive: name ${show(name)} has a NUL byte`);
  }
  const parts: string[] = [];
  for (const part of name.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") {
      parts.push(part);
    } else if (parts.pop() === undefined) {
      throw new TarError("PATH_ESCAPES", `Cannot read archive: ${show(name)} leads out of it`);
    }
  }
  return parts.join("/") as ByteString;
}

/**
 * Orders paths as a walk through the tree meets them: names compared as bytes, a folder right before what is in it.
 * Negative when `a` comes first.
 */
export function comparePaths(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return x === SLASH ? -1 : y === SLASH ? 1 : x - y;
  }
  return a.length - b.length;
}

/** The folder that holds `path`; "" for what is in the root, and for the root. */
export function parentPath(path: string): ByteString {
  return path.slice(0, Math.max(path.lastIndexOf("/"), 0)) as ByteString;
}

/** The path of what is called `name` in a folder; "" is the root, and as a name the folder itself. */
export function joinPath(folder: string, name: string): ByteString {
  return (folder === "" ? name : name === "" ? folder : `${folder}/${name}`) as ByteString;
}

const SLASH = 0x2f;

/** Whether a name needs no cleaning: the usual case, told without taking it apart. */
function isClean(name: string): boolean {
  let start = 0;
  for (let i = 0; i <= name.length; i++) {
    const code = i === name.length ? SLASH : name.charCodeAt(i);
    if (code === 0) return false;
    if (code !== SLASH) continue;
    const length = i - start;
    if (length === 0) return false;
    if (length <= 2 && name.charCodeAt(start) === 0x2e && name.charCodeAt(i - 1) === 0x2e) return false;
    start = i + 1;
  }
  return true;
}

function show(name: string): string {
  return JSON.stringify(fromByteString(name.slice(0, 300) as ByteString));
}
