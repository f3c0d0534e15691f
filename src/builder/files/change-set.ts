import type { ByteString } from "../../oci/layer-entry.ts";
import type { SourcedEntry } from "../../store/layers/types.ts";
import { whiteoutEntry } from "../../store/layers/whiteout-entry.ts";
import { parseWhiteout } from "../../tar/index.ts";
import { type ChangedFile, copyOf, ROOT_FILE, toEntry, toNode } from "./changed-file.ts";
import { baseName, joinPath, parentPath, ROOT } from "./path.ts";
import type { FileTree, TreeNode } from "./types.ts";

/** One name that the layer has. */
interface Change {
  readonly file: ChangedFile;
  /** Of a folder: the names in it that the layer changes; `null` stands for one that was removed. */
  readonly children: Map<ByteString, Change | null> | undefined;
  /** There was a folder here that was removed before this one was made: it must not shine through. */
  readonly isOpaque: boolean;
  /** Nothing inside this folder comes from the file system below. */
  readonly hidesLower: boolean;
}

/**
 * The changes a step makes to a file system, kept apart from it: what the upper folder of an overlay would hold.
 * Paths have no symlink on the way (see resolveInTree). Looking at it shows the file system with the changes.
 */
export class ChangeSet implements FileTree {
  readonly #lower: FileTree;
  readonly #root: Change;
  /** Changed folders by path: most calls are about files in the same few. */
  readonly #folders = new Map<ByteString, Change>();

  constructor(lower: FileTree) {
    this.#lower = lower;
    const node = lower.lstat(ROOT);
    this.#root = {
      file: node === undefined ? { ...ROOT_FILE } : copyOf(node),
      children: new Map(),
      isOpaque: false,
      hidesLower: false,
    };
    this.#folders.set(ROOT, this.#root);
  }

  lstat(path: ByteString): TreeNode | undefined {
    const found = this.#find(path);
    if (found === "lower") return this.#lower.lstat(path);
    return found === undefined ? undefined : toNode(found.file);
  }

  readdir(path: ByteString): readonly ByteString[] {
    const found = this.#find(path);
    if (found === "lower") return this.#lower.readdir(path);
    if (found?.children === undefined) return [];
    const names = new Set(found.hidesLower ? [] : this.#lower.readdir(path));
    for (const [name, change] of found.children) {
      if (change === null) names.delete(name);
      else names.add(name);
    }
    return [...names].sort();
  }

  /** The file at a path, to be changed in place; what is only below is brought up first. */
  edit(path: ByteString): ChangedFile | undefined {
    const found = this.#find(path);
    if (found !== "lower") return found?.file;
    const node = this.#lower.lstat(path);
    if (node === undefined) return undefined;
    if (node.kind === "dir") return this.#bringUp(path).file;
    const file = copyOf(node);
    this.#bringUp(parentPath(path)).children?.set(baseName(path), leaf(file));
    return file;
  }

  /**
   * Puts a file at a path, in the place of any other non-folder.
   * @throws {RangeError} when the path has a folder (remove it first), or the folder around is not there
   */
  put(path: ByteString, file: ChangedFile): void {
    const found = this.#find(path);
    const lower = found === "lower" ? this.#lower.lstat(path) : undefined;
    const isFolder = found === "lower" ? lower?.kind === "dir" : found?.children !== undefined;
    if (isFolder) throw new RangeError(`There is a folder at "${path}"`);
    const around = this.#bringUp(parentPath(path));
    if (file.kind !== "dir") {
      around.children?.set(baseName(path), leaf(file));
      return;
    }
    const isOpaque = !around.hidesLower && this.#lower.lstat(path)?.kind === "dir";
    this.#addFolder(path, around, { file, children: new Map(), isOpaque, hidesLower: true });
  }

  /** Gives a file a second name. Returns false when there is no file to link to. */
  link(target: ByteString, path: ByteString): boolean {
    const file = this.edit(target);
    if (file === undefined || file.kind === "dir") return false;
    this.put(path, file);
    return true;
  }

  /** Removes a file or a whole folder; nothing happens when it is not there. */
  remove(path: ByteString): void {
    if (this.lstat(path) === undefined) return;
    const around = this.#bringUp(parentPath(path));
    const isBelow = !around.hidesLower && this.#lower.lstat(path) !== undefined;
    if (isBelow) around.children?.set(baseName(path), null);
    else around.children?.delete(baseName(path));
    this.#folders.clear();
    this.#folders.set(ROOT, this.#root);
  }

  /** What a layer has to say; folders come before what is in them. */
  toEntries(): readonly SourcedEntry[] {
    const entries: SourcedEntry[] = [];
    this.#collect(this.#root, ROOT, entries, new Map());
    return entries;
  }

  #collect(
    folder: Change,
    path: ByteString,
    entries: SourcedEntry[],
    firstNames: Map<ChangedFile, ByteString>,
  ): void {
    for (const [name, change] of folder.children ?? []) {
      const childPath = joinPath(path, name);
      const whiteout = name.startsWith(".wh.") ? parseWhiteout(childPath) : undefined;
      if (whiteout !== undefined) {
        if (whiteout.kind !== "ignored") entries.push(...whiteoutEntries(folder, whiteout));
        continue;
      }
      if (change === null) {
        entries.push(whiteoutEntry("whiteout", childPath));
        continue;
      }
      entries.push(toEntry(change.file, childPath, firstNames.get(change.file)));
      if (change.children === undefined) {
        if (!firstNames.has(change.file)) firstNames.set(change.file, childPath);
        continue;
      }
      if (change.isOpaque) entries.push(whiteoutEntry("opaque", childPath));
      this.#collect(change, childPath, entries, firstNames);
    }
  }

  /** A change, or "lower" where only the file system below can tell. */
  #find(path: ByteString): Change | "lower" | undefined {
    if (path === ROOT) return this.#root;
    const parent = parentPath(path);
    const around = this.#folders.get(parent) ?? this.#find(parent);
    if (around === "lower") return "lower";
    if (around?.children === undefined) return undefined;
    const child = around.children.get(baseName(path));
    if (child === null) return undefined;
    if (child === undefined) return around.hidesLower ? undefined : "lower";
    return child;
  }

  /** A folder as a change, with every folder on the way brought up from below. */
  #bringUp(path: ByteString): Change {
    const known = this.#folders.get(path);
    if (known !== undefined) return known;
    const around = this.#bringUp(parentPath(path));
    const child = around.children?.get(baseName(path));
    if (child?.children !== undefined) {
      this.#folders.set(path, child);
      return child;
    }
    const node = child === undefined && !around.hidesLower ? this.#lower.lstat(path) : undefined;
    if (node?.kind !== "dir") throw new RangeError(`There is no folder at "${path}"`);
    return this.#addFolder(path, around, {
      file: copyOf(node),
      children: new Map(),
      isOpaque: false,
      hidesLower: false,
    });
  }

  #addFolder(path: ByteString, around: Change, folder: Change): Change {
    around.children?.set(baseName(path), folder);
    this.#folders.set(path, folder);
    return folder;
  }
}

function leaf(file: ChangedFile): Change {
  return { file, children: undefined, isOpaque: false, hidesLower: true };
}

/** A file named `.wh.x` is a whiteout to everybody who reads the layer. */
function whiteoutEntries(
  folder: Change,
  whiteout: { readonly kind: "whiteout" | "opaque"; readonly path: ByteString },
): readonly SourcedEntry[] {
  const { path } = whiteout;
  if (whiteout.kind === "opaque") return folder.isOpaque ? [] : [whiteoutEntry("opaque", path)];
  const own = folder.children?.get(baseName(path));
  if (own === undefined) return [whiteoutEntry("whiteout", path)];
  // The layer's own file of that name hides the one below anyhow; a folder has to be cut off from it.
  return own?.children !== undefined && !own.isOpaque ? [whiteoutEntry("opaque", path)] : [];
}
