import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type ByteString, fromByteString, toByteString } from "../../oci/layer-entry.ts";
import type { SourcedEntry } from "../../store/layers/types.ts";
import { detectArchive } from "./archive/archive-file.ts";
import { ScratchFiles } from "./archive/scratch-files.ts";
import { unpackArchive } from "./archive/unpack-archive.ts";
import { decompressXz } from "./archive/xz-program.ts";
import { ChangeSet } from "./change-set.ts";
import { type ChangedFile, copyOf } from "./changed-file.ts";
import { applyChmod, type ModeChange } from "./chmod.ts";
import { EMPTY_TREE } from "./empty-tree.ts";
import { FilesError } from "./error.ts";
import { makeFolders } from "./make-folders.ts";
import { baseName, cleanPath, joinPath, parentPath, ROOT } from "./path.ts";
import { WorkSlices } from "./pause.ts";
import { resolveInTree } from "./resolve-in-tree.ts";
import type { SelectedEntry, SelectedRoot, SelectedSource, Selection } from "./selection.ts";
import type { FileTree, Owner, TreeNode } from "./types.ts";

/** What a COPY or ADD does with the files it selected. */
export interface CopyOperation {
  /** Absolute; a slash (or `/.`) at the end says that it is a folder. Any spelling. */
  readonly destination: string;
  /** `--chown`, looked up. */
  readonly owner?: Owner | undefined;
  readonly chmod?: ModeChange | undefined;
  /** ADD, or `--unpack`: archives among the named files are unpacked. */
  readonly unpack: boolean;
  /** `--unpack=true`: also those that take a program to unpack. */
  readonly isUnpackAsked?: boolean | undefined;
}

export interface PlanOptions {
  /** Time of the folders that the step makes, in seconds since the epoch. */
  readonly folderMtimeSeconds: number;
  /** Reads `security.capability` of a file by its host path (latin1); copies between stages keep it. */
  readonly readCapability?: ((hostPath: string) => Uint8Array | undefined) | undefined;
  /** A folder (text) for the files of unpacked archives; made when needed, and for the caller to remove. */
  readonly scratchDir?: string | undefined;
  /** Where programs that unpack are looked for, as in PATH. */
  readonly searchPath?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The changes as a layer has them: what the upper folder of Docker's copy would hold, in any order. */
export interface CopyPlan {
  readonly entries: readonly SourcedEntry[];
  /** Sentences for a person about what may not be what was meant. */
  readonly notes: readonly string[];
}

/**
 * Works out the layer of a COPY or ADD.
 *
 * @param destination the state that is copied onto; EMPTY_TREE for an independent layer
 * @throws {FilesError} DESTINATION_CONFLICT, TOO_MANY_LINKS
 */
export async function planCopy(
  operation: CopyOperation,
  selection: Selection,
  options: PlanOptions & { readonly destination?: FileTree },
): Promise<CopyPlan> {
  const copier = new Copier(operation, options.destination ?? EMPTY_TREE, options);
  for (const source of selection.sources) await copier.copySource(source);
  return { entries: copier.changes.toEntries(), notes: copier.notes };
}

class Copier {
  readonly changes: ChangeSet;
  readonly notes: string[] = [];
  readonly #operation: CopyOperation;
  readonly #options: PlanOptions;
  readonly #slices = new WorkSlices();
  #scratch: ScratchFiles | undefined;
  #keepsXattrs = false;
  #decompressed = 0;

  constructor(operation: CopyOperation, destination: FileTree, options: PlanOptions) {
    this.changes = new ChangeSet(destination);
    this.#operation = operation;
    this.#options = options;
  }

  async copySource(source: SelectedSource): Promise<void> {
    this.#keepsXattrs = source.kind === "tree" && source.keepsXattrs;
    if (source.kind === "tree") {
      for (const root of source.roots) {
        const [top] = root.entries;
        const mayUnpack = this.#operation.unpack && top?.node.kind === "file";
        if (mayUnpack && (await this.#unpack(root.name, top.node.hostPath))) continue;
        await this.#copyRoot(root);
      }
      return;
    }
    const { kind: _kind, name, content, unpack, ...attributes } = source;
    if (unpack === true && content.kind === "file" && (await this.#unpack(name, content.hostPath))) return;
    const node: TreeNode = { kind: "file", uid: 0, gid: 0, ...attributes, hostPath: "" };
    const target = this.#placeRoot({ name, isDir: false });
    this.#put(target, { ...this.#changedFile(node), content });
  }

  /** Unpacks an archive into the destination; false when it is none. */
  async #unpack(name: ByteString, hostPath: string): Promise<boolean> {
    const archive = await this.#findArchive(name, hostPath);
    if (archive === undefined) return false;
    const { destination, owner } = this.#operation;
    const { folderMtimeSeconds, signal } = this.#options;
    this.#scratch ??= new ScratchFiles(this.#scratchDir());
    const folder = makeFolders(this.changes, cleanPath(toByteString(destination)), {
      mode: 0o755,
      owner: owner ?? ROOT_OWNER,
      mtimeSeconds: folderMtimeSeconds,
    });
    await unpackArchive(
      this.changes,
      { hostPath: archive, name: fromByteString(name) },
      { folder, owner, folderMtimeSeconds, scratch: this.#scratch, signal },
    );
    return true;
  }

  /** The host path of the archive that a file is, or has in it; undefined when it is to be copied. */
  async #findArchive(name: ByteString, hostPath: string): Promise<string | undefined> {
    const kind = await detectArchive(hostPath);
    if (kind !== "xz") return kind === "archive" ? hostPath : undefined;
    const shownAs = fromByteString(name);
    if (this.#operation.isUnpackAsked !== true) {
      this.notes.push(
        `"${shownAs}" is copied as it is: ADD unpacks archives compressed with xz only with --unpack=true`,
      );
      return undefined;
    }
    const folder = this.#scratchDir();
    await mkdir(folder, { recursive: true });
    const target = join(folder, `decompressed-${this.#decompressed++}`);
    const { searchPath = "", signal } = this.#options;
    await decompressXz(hostPath, target, { name: shownAs, searchPath, signal });
    const path = toByteString(target);
    return (await detectArchive(path)) === "archive" ? path : undefined;
  }

  #scratchDir(): string {
    const { scratchDir } = this.#options;
    if (scratchDir === undefined) throw new TypeError("Unpacking an archive needs a scratchDir");
    return scratchDir;
  }

  async #copyRoot(root: SelectedRoot): Promise<void> {
    const target = this.#placeRoot(root);
    // Names of one file are one file again, but only among those that came together.
    const copied = new Map<string, ByteString>();
    for (const entry of root.entries) {
      if (this.#slices.isDue()) await this.#slices.pause(this.#options.signal);
      this.#copyEntry(entry, joinPath(target, entry.path), copied);
    }
  }

  /** Makes the folders for a file or folder that is to be copied; returns its path in the destination. */
  #placeRoot(root: { readonly name: ByteString; readonly isDir: boolean }): ByteString {
    const { destination } = this.#operation;
    const clean = cleanPath(toByteString(destination));
    const isFolderWanted = /\/\.?$/.test(destination);
    this.#makeFolders(isFolderWanted ? clean : parentPath(clean));
    const resolved = resolveInTree(this.changes, clean, { followLast: true });
    const existing = this.changes.lstat(resolved);
    if (root.isDir) {
      // A folder gives its contents: what it would be called plays no part, nor do its mode and owner.
      this.#makeFolders(existing === undefined ? resolved : parentPath(resolved));
      return resolved;
    }
    const target = existing?.kind === "dir" ? joinPath(resolved, root.name) : resolved;
    this.#makeFolders(parentPath(target));
    return target;
  }

  #makeFolders(path: ByteString): void {
    const { chmod, owner } = this.#operation;
    makeFolders(this.changes, path, {
      // An octal --chmod goes for the folders on the way too, without the special bits and what Docker's umask takes.
      mode: chmod?.kind === "octal" ? chmod.mode & 0o755 : 0o755,
      owner: owner ?? ROOT_OWNER,
      mtimeSeconds: this.#options.folderMtimeSeconds,
    });
  }

  #copyEntry(entry: SelectedEntry, target: ByteString, copied: Map<string, ByteString>): void {
    const { node } = entry;
    if (node.kind === "dir") {
      this.#copyFolder(entry, target);
      return;
    }
    const first = node.hardlinkId === undefined ? undefined : copied.get(node.hardlinkId);
    if (first !== undefined) {
      this.#makeRoom(target);
      this.changes.link(first, target);
      return;
    }
    this.#put(target, this.#changedFile(node));
    if (node.hardlinkId !== undefined) copied.set(node.hardlinkId, target);
  }

  #copyFolder(entry: SelectedEntry, target: ByteString): void {
    const existing = this.changes.lstat(target);
    if (existing === undefined) {
      this.changes.put(target, this.#changedFile(entry.node));
      return;
    }
    if (existing.kind !== "dir")
      throw new FilesError(
        "DESTINATION_CONFLICT",
        `Cannot copy a folder: cannot copy to non-directory: /${fromByteString(target)}`,
        { hint: "Remove what is there in an earlier step, or copy to another place" },
      );
    // The folder copied onto stays as it is; folders inside it take over what the source's are like.
    if (entry.path === ROOT) return;
    const folder = this.changes.edit(target) as ChangedFile;
    if (entry.isImplied) folder.mode = entry.node.mode;
    else Object.assign(folder, pickMetadata(this.#changedFile(entry.node)));
  }

  #put(target: ByteString, file: ChangedFile): void {
    this.#makeRoom(target);
    this.changes.put(target, file);
  }

  #makeRoom(target: ByteString): void {
    if (this.changes.lstat(target)?.kind !== "dir") return;
    throw new FilesError(
      "DESTINATION_CONFLICT",
      `Cannot copy "${fromByteString(baseName(target))}": cannot replace to directory /${fromByteString(target)} with file`,
      { hint: "Remove the folder in an earlier step, or copy to another place" },
    );
  }

  /** A source file as it will be: with the owner and mode that the flags ask for. */
  #changedFile(node: TreeNode): ChangedFile {
    const { owner, chmod } = this.#operation;
    const isDir = node.kind === "dir";
    const capability =
      this.#keepsXattrs && node.kind === "file" ? this.#options.readCapability?.(node.hostPath) : undefined;
    const file = copyOf(node);
    if (node.kind !== "symlink") file.mode = applyChmod(chmod, { mode: node.mode, isDir });
    if (owner !== undefined) {
      file.uid = owner.uid;
      file.gid = owner.gid;
    }
    if (capability !== undefined) file.xattrs = new Map([["security.capability", capability]]);
    return file;
  }
}

const ROOT_OWNER: Owner = { uid: 0, gid: 0 };

function pickMetadata({ mode, uid, gid, mtimeSeconds }: ChangedFile): Partial<ChangedFile> {
  return { mode, uid, gid, mtimeSeconds };
}
