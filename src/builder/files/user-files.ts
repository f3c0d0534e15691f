import { closeSync, openSync, readSync } from "node:fs";
import { type ByteString, fromByteString } from "../../oci/layer-entry.ts";
import { fsPath } from "../../sys/index.ts";
import { FilesError } from "./error.ts";
import { resolveInTree } from "./resolve-in-tree.ts";
import type { FileTree } from "./types.ts";

/** A line of /etc/passwd. */
export interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** A line of /etc/group. */
export interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/** Docker's bound. */
const MAX_FILE_BYTES = 10 * 1024 * 1024;

/** /etc/passwd of a tree; empty when it has none. @throws {FilesError} READ_FAILED */
export function readPasswd(tree: FileTree): readonly PasswdEntry[] {
  return readLines(tree, "etc/passwd").map((line) => {
    const [name = "", , uid = "", gid = "", , home = ""] = line.split(":");
    return { name, uid: parseNumber(uid), gid: parseNumber(gid), home };
  });
}

/** /etc/group of a tree; empty when it has none. @throws {FilesError} READ_FAILED */
export function readGroups(tree: FileTree): readonly GroupEntry[] {
  return readLines(tree, "etc/group")
    .filter((line) => !line.startsWith("#"))
    .map((line) => {
      const [name = "", , gid = "", members = ""] = line.split(":");
      return { name, gid: parseNumber(gid), members: members === "" ? [] : members.split(",") };
    });
}

/** Lines that are not blank, trimmed. The file may be reached through symlinks. */
function readLines(tree: FileTree, path: string): readonly string[] {
  const resolved = resolveInTree(tree, path, { followLast: true });
  const node = tree.lstat(resolved);
  if (node === undefined) return [];
  if (node.kind !== "file" || node.size > MAX_FILE_BYTES) {
    const state = node.kind === "file" ? `it exceeds ${MAX_FILE_BYTES} bytes` : "it is not a regular file";
    throw new FilesError("READ_FAILED", `Cannot read "/${path}" of the image: ${state}`);
  }
  const text = fromByteString(readWhole(node.hostPath, node.size));
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

function readWhole(hostPath: string, size: number): ByteString {
  const bytes = Buffer.allocUnsafe(size);
  const file = openSync(fsPath(hostPath), "r");
  try {
    let length = 0;
    while (length < size) {
      const count = readSync(file, bytes, length, size - length, null);
      if (count === 0) break;
      length += count;
    }
    return bytes.toString("latin1", 0, length) as ByteString;
  } finally {
    closeSync(file);
  }
}

/** What is no number counts as 0, as in Docker; so does a negative one, which no file can belong to. */
function parseNumber(text: string): number {
  return /^\+?\d+$/.test(text) ? Number.parseInt(text, 10) : 0;
}
