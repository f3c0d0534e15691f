import type { ByteString, LayerEntry } from "../../oci/layer-entry.ts";
import { comparePaths, parentPath, parseWhiteout } from "../../tar/index.ts";
import type { SourcedEntry } from "./types.ts";
import { whiteoutEntry } from "./whiteout-entry.ts";

/**
 * Brings the entries of a layer into the one form and order that its digest is computed over:
 *
 * - in the order of a walk (`comparePaths`), a folder's opaque mark right after the folder; of two entries with the same
 *   path the later one counts;
 * - an entry named `.wh.NAME`, or a character device 0/0, is the whiteout it will be taken for;
 * - of several names of one file the first has the content and the others are hard links to it, with its attributes;
 * - what has no meaning is zero: attributes of whiteouts, sizes of all but files, modes of symlinks (0777).
 *
 * @throws {TypeError} when the folder of an entry is not in the list, or a hard link's target is not
 */
export function canonicalEntries(entries: readonly SourcedEntry[]): readonly SourcedEntry[] {
  const named = entries.some(isHiddenWhiteout) ? entries.flatMap(readWhiteoutName) : entries;
  const ordered = isOrdered(named) ? named : order(named);
  checkParents(ordered);
  const linked = ordered.some((entry) => entry.kind === "hardlink") ? settleLinks(ordered, entries) : ordered;
  return linked.map(normalize);
}

/** Whether an entry, as a file, would mean a whiteout in a tar or in a snapshot. */
function isHiddenWhiteout(entry: SourcedEntry): boolean {
  return isOverlayWhiteout(entry) || parseWhiteout(entry.path) !== undefined;
}

function isOverlayWhiteout({ kind, major, minor }: SourcedEntry): boolean {
  return kind === "char" && (major ?? 0) === 0 && (minor ?? 0) === 0;
}

function readWhiteoutName(entry: SourcedEntry): readonly SourcedEntry[] {
  const whiteout = parseWhiteout(entry.path);
  if (whiteout === undefined && isOverlayWhiteout(entry)) return [{ ...entry, kind: "whiteout" }];
  if (whiteout === undefined) return [entry];
  if (whiteout.kind === "ignored") return [];
  return [whiteoutEntry(whiteout.kind, whiteout.path)];
}

function isOrdered(entries: readonly SourcedEntry[]): boolean {
  for (let i = 1; i < entries.length; i++) {
    if (compareEntries(entries[i - 1] as SourcedEntry, entries[i] as SourcedEntry) >= 0) return false;
    if (entries[i - 1]?.path === entries[i]?.path && entries[i - 1]?.kind !== "dir") return false;
  }
  return true;
}

function compareEntries(a: LayerEntry, b: LayerEntry): number {
  return comparePaths(a.path, b.path) || Number(a.kind === "opaque") - Number(b.kind === "opaque");
}

/** Sorts, and leaves at each path one entry, or a folder and its opaque mark. */
function order(entries: readonly SourcedEntry[]): readonly SourcedEntry[] {
  const byPath = new Map<ByteString, SourcedEntry>();
  const opaque = new Map<ByteString, SourcedEntry>();
  const whiteouts = new Map<ByteString, SourcedEntry>();
  for (const entry of entries) {
    const target = entry.kind === "opaque" ? opaque : entry.kind === "whiteout" ? whiteouts : byPath;
    target.set(entry.path, entry);
  }
  for (const [path, whiteout] of whiteouts) {
    // A whiteout hides what is below the layer, so it stays beside nothing but a folder, as that folder's opaque mark.
    const present = byPath.get(path);
    if (present === undefined) byPath.set(path, whiteout);
    else if (present.kind === "dir") opaque.set(path, whiteoutEntry("opaque", path));
  }
  return [...byPath.values(), ...opaque.values()].sort(compareEntries);
}

function checkParents(entries: readonly SourcedEntry[]): void {
  const open: string[] = [""];
  for (const { path, kind } of entries) {
    const folder = kind === "opaque" ? path : parentPath(path);
    while (open.length > 1 && !isWithin(folder, open[open.length - 1] as string)) open.pop();
    if (open[open.length - 1] !== folder) {
      throw new TypeError(
        `Layer entry ${JSON.stringify(path)} comes without its folder ${JSON.stringify(folder)}`,
      );
    }
    if (kind === "dir" && path !== "") open.push(path);
  }
}

function isWithin(path: string, folder: string): boolean {
  return path.startsWith(folder) && (path.length === folder.length || path[folder.length] === "/");
}

/**
 * Gives each group of names its file first and points all others at it. `all` has the names that `entries` lost
 * because they were whiteouts' too: a link to one of them still has its content.
 */
function settleLinks(
  entries: readonly SourcedEntry[],
  all: readonly SourcedEntry[],
): readonly SourcedEntry[] {
  const byPath = new Map<string, SourcedEntry>();
  for (const entry of [...all, ...entries]) if (entry.kind !== "opaque") byPath.set(entry.path, entry);
  const files = new Map<SourcedEntry, SourcedEntry>();
  for (const entry of entries) {
    if (entry.kind === "hardlink") files.set(entry, resolveLink(entry, byPath));
  }
  const linked = new Set(files.values());
  const firstNames = new Map<SourcedEntry, ByteString>();
  return entries.map((entry) => {
    const file = files.get(entry) ?? entry;
    if (!linked.has(file)) return entry;
    const first = firstNames.get(file);
    if (first === undefined) {
      firstNames.set(file, entry.path);
      return { ...file, path: entry.path };
    }
    const { mode, uid, gid, mtimeSeconds } = file;
    return { path: entry.path, kind: "hardlink", mode, uid, gid, mtimeSeconds, size: 0, link: first };
  });
}

function resolveLink(entry: SourcedEntry, byPath: ReadonlyMap<string, SourcedEntry>): SourcedEntry {
  let file: SourcedEntry | undefined = entry;
  for (let steps = 0; file?.kind === "hardlink"; steps++) {
    file = steps > byPath.size ? undefined : byPath.get(file.link ?? "");
  }
  if (file === undefined || file.kind === "dir" || file.kind === "whiteout") {
    throw new TypeError(
      `Hard link ${JSON.stringify(entry.path)} points at ${JSON.stringify(entry.link)}, which is no file of the layer`,
    );
  }
  return file;
}

function normalize(entry: SourcedEntry): SourcedEntry {
  switch (entry.kind) {
    case "file":
      return entry;
    case "whiteout":
    case "opaque":
      return whiteoutEntry(entry.kind, entry.path);
    case "symlink":
      return entry.mode === 0o777 && entry.size === 0 ? entry : { ...entry, mode: 0o777, size: 0 };
    default:
      return entry.size === 0 ? entry : { ...entry, size: 0 };
  }
}
