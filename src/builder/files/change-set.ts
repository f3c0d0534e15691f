import type { ByteString } from "../../oci/layer-entry.ts";
import type { EntryContent, SourcedEntry } from "../../store/layers/types.ts";
import { parseWhiteout } from "../../tar/whiteout.ts";
import { baseName, joinPath, parentPath, ROOT } from "./path.ts";
import type { FileTree, TreeNode } from "./types.ts";

/** A file as it will be in the layer. Names of the same file share one object, so a change reaches them all. */
export interface ChangedFile {
  kind: Exclude<TreeNode["kind"], "socket">;
  mode: number;
  uid: number;
  gid: number;
  mtimeSeconds: number;
  readonly size: number;
  readonly link?: ByteString;
  readonly major?: number;
  readonly minor?: number;
  readonly content?: EntryContent;
  xattrs?: ReadonlyMap<string, Uint8Array> | undefined;
}

/** One name that the layer has. A folder's children are those that the layer changes. */
interface Change {
  readonly file: ChangedFile;
  /** `null` stands for a name that was removed. */
  readonly children: Map<ByteString, Change | null> | undefined;
  /**
   * What the file system below has at this place, seen from a folder: a folder that shows through ("shown"), none
   * ("none"), or one that was removed before this one was made ("cut").
   */
  readonly below: "shown" | "none" | "cut";
}

/**
 * The changes a step makes to a file system, kept apart from it: what the upper folder of an overlay would hold.
 * Paths have no symlink on the way (see resolveInTree). Looking at it shows the file system with the changes.
 */
export class ChangeSet implements FileTree {
  readonly #lower: FileTree;
  readonly #root: Change;

  constructor(lower: FileTree) {
    this.#lower = lower;
    const node = lower.lstat(ROOT);
    this.#root = {
      file: node === undefined ? ROOT_FILE : copyUp(node),
      children: new Map(),
      below: "shown",
    };
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
    const names = new Set(this.#hidesLower(path) ? [] : this.#lower.readdir(path));
    for (const [name, change] of found.children) {
      if (change === null) names.delete(name);
      else names.add(name);
    }
    return [...names].sort();
  }

  /** The file at a path, to be changed in place; what is only below is brought up first. */
  edit(path: ByteString): ChangedFile | undefined {
    if (path === ROOT) return this.#root.file;
    const found = this.#find(path);
    if (found !== "lower") return found?.file;
    const node = this.#lower.lstat(path);
    if (node === undefined) return undefined;
    const file = copyUp(node);
    this.#put(path, { file, children: node.kind === "dir" ? new Map() : undefined, below: "shown" });
    return file;
  }

  /**
   * Puts a file at a path, in the place of any other non-folder. The folder around must be there.
   * @throws {RangeError} when the path has a folder: remove it first
   */
  put(path: ByteString, file: ChangedFile): void {
    if (this.lstat(path)?.kind === "dir") throw new RangeError(`There is a folder at "${path}"`);
    if (file.kind !== "dir") {
      this.#put(path, { file, children: undefined, below: "none" });
      return;
    }
    // The folder below, if there was one, was removed: it must not come back under the new one.
    const below = this.#lowerKind(path) === "dir" ? "cut" : "none";
    this.#put(path, { file, children: new Map(), below });
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
    const children = this.#childrenOf(parentPath(path));
    if (this.#lowerKind(path) === undefined) children.delete(baseName(path));
    else children.set(baseName(path), null);
  }

  /** What a layer has to say; folders come before what is in them. */
  toEntries(): readonly SourcedEntry[] {
    const entries: SourcedEntry[] = [];
    const names = new Map<ChangedFile, ByteString>();
    this.#collect(this.#root, ROOT, entries, names);
    return entries;
  }

  #collect(
    folder: Change,
    path: ByteString,
    entries: SourcedEntry[],
    names: Map<ChangedFile, ByteString>,
  ): void {
    for (const [name, change] of folder.children ?? []) {
      const childPath = joinPath(path, name);
      const whiteout = parseWhiteout(childPath);
      if (whiteout !== undefined) {
        this.#collectWhiteoutName(folder, whiteout, entries);
        continue;
      }
      if (change === null) {
        entries.push({ ...WHITEOUT, path: childPath });
        continue;
      }
      const { file } = change;
      const firstName = names.get(file);
      if (firstName !== undefined) {
        entries.push({
          ...withoutContent(file),
          kind: "hardlink",
          path: childPath,
          link: firstName,
          size: 0,
        });
        continue;
      }
      if (change.children === undefined) names.set(file, childPath);
      entries.push(toEntry(file, childPath));
      if (change.below === "cut") entries.push({ ...OPAQUE, path: childPath });
      if (change.children !== undefined) this.#collect(change, childPath, entries, names);
    }
  }

  /** A file named `.wh.x` is a whiteout to everybody who reads the layer. */
  #collectWhiteoutName(
    folder: Change,
    whiteout: NonNullable<ReturnType<typeof parseWhiteout>>,
    entries: SourcedEntry[],
  ): void {
    if (whiteout.kind === "ignored") return;
    if (whiteout.kind === "opaque") {
      if (folder.below !== "cut") entries.push({ ...OPAQUE, path: whiteout.path });
      return;
    }
    // The layer's own file of that name hides the one below anyhow; a folder has to be cut off from it.
    const own = folder.children?.get(baseName(whiteout.path));
    if (own === undefined) entries.push({ ...WHITEOUT, path: whiteout.path });
    else if (own?.children !== undefined && own.below !== "cut")
      entries.push({ ...OPAQUE, path: whiteout.path });
  }

  /** A change, or "lower" where only the file system below can tell. */
  #find(path: ByteString): Change | "lower" | undefined {
    let current = this.#root;
    if (path === ROOT) return current;
    let isHidden = false;
    for (const part of path.split("/")) {
      if (current.children === undefined) return undefined;
      isHidden ||= current.below !== "shown";
      const child = current.children.get(part as ByteString);
      if (child === null) return undefined;
      if (child === undefined) return isHidden ? undefined : "lower";
      current = child;
    }
    return current;
  }

  #hidesLower(path: ByteString): boolean {
    let current = this.#root;
    if (path === ROOT) return false;
    for (const part of path.split("/")) {
      const child = current.children?.get(part as ByteString);
      if (child === null || child === undefined) return false;
      if (child.below !== "shown") return true;
      current = child;
    }
    return false;
  }

  /** What the file system below has at a path, unless a folder above it was cut off. */
  #lowerKind(path: ByteString): TreeNode["kind"] | undefined {
    return this.#hidesLower(parentPath(path)) ? undefined : this.#lower.lstat(path)?.kind;
  }

  #put(path: ByteString, change: Change): void {
    this.#childrenOf(parentPath(path)).set(baseName(path), change);
  }

  /** The children of a folder, with every folder on the way brought up. */
  #childrenOf(path: ByteString): Map<ByteString, Change | null> {
    let current = this.#root;
    let here = ROOT;
    for (const part of path === ROOT ? [] : (path.split("/") as ByteString[])) {
      here = joinPath(here, part);
      let child = current.children?.get(part);
      if (child === undefined) {
        const node = this.#lower.lstat(here);
        if (node?.kind !== "dir") throw new RangeError(`There is no folder at "${here}"`);
        child = { file: copyUp(node), children: new Map(), below: "shown" };
        current.children?.set(part, child);
      }
      if (child?.children === undefined) throw new RangeError(`There is no folder at "${here}"`);
      current = child;
    }
    return current.children as Map<ByteString, Change | null>;
  }
}

const ROOT_FILE: ChangedFile = { kind: "dir", mode: 0o755, uid: 0, gid: 0, mtimeSeconds: 0, size: 0 };
const WHITEOUT = { kind: "whiteout", mode: 0, uid: 0, gid: 0, mtimeSeconds: 0, size: 0 } as const;
const OPAQUE = { ...WHITEOUT, kind: "opaque" } as const;

function withoutContent(file: ChangedFile): Omit<ChangedFile, "content" | "xattrs"> {
  const { content: _content, xattrs: _xattrs, ...rest } = file;
  return rest;
}

function toEntry({ xattrs, ...rest }: ChangedFile, path: ByteString): SourcedEntry {
  return { ...rest, path, ...(xattrs !== undefined && { xattrs }) };
}

/** A file of the lower file system as the layer would repeat it. */
function copyUp(node: TreeNode): ChangedFile {
  return {
    kind: node.kind === "socket" ? "file" : node.kind,
    mode: node.mode,
    uid: node.uid,
    gid: node.gid,
    mtimeSeconds: node.mtimeSeconds,
    size: node.size,
    ...(node.link !== undefined && { link: node.link }),
    ...(node.major !== undefined && { major: node.major }),
    ...(node.minor !== undefined && { minor: node.minor }),
    ...(node.kind === "file" && { content: { kind: "file", hostPath: node.hostPath } as const }),
  };
}

function toNode(file: ChangedFile): TreeNode {
  const { content, xattrs: _xattrs, ...rest } = file;
  return { ...rest, hostPath: content?.kind === "file" ? content.hostPath : "" };
}
