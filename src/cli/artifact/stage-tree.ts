import {
  chmodSync,
  closeSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { type ByteString, fromByteString } from "../../oci/index.ts";
import { fsPath } from "../../sys/index.ts";
import { parentPath } from "../../tar/index.ts";
import { CliError } from "../error.ts";

/** Attributes that a folder gets when nothing more is put into it. */
export interface StagedFolder {
  readonly path: ByteString;
  readonly mode: number;
  readonly mtimeSeconds: number;
}

export interface FileAttributes {
  /** Permission bits alone count; the process's mask is taken off. */
  readonly mode: number;
  /** Seconds since the epoch; 0 leaves it at now. */
  readonly mtimeSeconds: number;
}

/**
 * A folder of our own in which an untrusted artifact's files are put together before anybody sees them. Nothing is
 * written through a symlink, and nothing of one layer over what another has.
 *
 * Paths are relative and clean, see `cleanPath`.
 */
export class StageTree {
  /** Absolute. */
  readonly root: ByteString;
  /** What each path was made by. */
  readonly #owners = new Map<ByteString, object>();
  /** Folders that are there, and are folders. */
  readonly #folders = new Set<ByteString>();
  readonly #symlinks = new Map<ByteString, ByteString>();
  readonly #attributes = new Map<ByteString, StagedFolder>();

  constructor(root: ByteString) {
    this.root = root;
    this.#folders.add("" as ByteString);
  }

  /** Paths of the symlinks to what they point to. */
  get symlinks(): ReadonlyMap<ByteString, ByteString> {
    return this.#symlinks;
  }

  /** What is to be set on folders once all is in place, the innermost first. */
  get folders(): readonly StagedFolder[] {
    return [...this.#attributes.values()].reverse();
  }

  hostPath(path: ByteString): string | Buffer {
    return fsPath(path === "" ? this.root : `${this.root}/${path}`);
  }

  addFolder(path: ByteString, attributes?: FileAttributes): void {
    this.#makeFolder(path);
    if (attributes !== undefined) this.#attributes.set(path, { path, ...attributes });
  }

  /** @throws {CliError} INPUT_UNUSABLE when its place is taken */
  createFile(
    path: ByteString,
    { owner, ...attributes }: FileAttributes & { readonly owner: object },
  ): StagedFile {
    this.#claim(path, owner);
    return new StagedFile(this.hostPath(path), attributes);
  }

  addSymlink(path: ByteString, target: ByteString, owner: object): void {
    this.#claim(path, owner);
    symlinkSync(fsPath(target), this.hostPath(path));
    this.#symlinks.set(path, target);
  }

  /** One more name of a file that the same owner has made. */
  addLink(path: ByteString, target: ByteString, owner: object): void {
    const isFile =
      this.#owners.get(target) === owner && !this.#symlinks.has(target) && !this.#folders.has(target);
    if (!isFile)
      throw refused(
        path,
        `it is a hard link to "${fromByteString(target)}", which is no file of the archive`,
      );
    if (path === target) return;
    this.#claim(path, owner);
    linkSync(this.hostPath(target), this.hostPath(path));
  }

  /** Takes a place for something that is about to be put there; what the same owner had there before goes. */
  #claim(path: ByteString, owner: object): void {
    this.#makeFolder(parentPath(path));
    const before = this.#owners.get(path);
    if (this.#folders.has(path)) throw refused(path, "a folder has that name too");
    if (before !== undefined && before !== owner)
      throw refused(path, "another layer has a file of that name");
    if (before !== undefined) {
      rmSync(this.hostPath(path), { force: true });
      this.#symlinks.delete(path);
    }
    this.#owners.set(path, owner);
  }

  #makeFolder(path: ByteString): void {
    if (this.#folders.has(path)) return;
    this.#makeFolder(parentPath(path));
    if (this.#symlinks.has(path)) throw refused(path, "it leads through a symlink");
    if (this.#owners.has(path)) throw refused(path, "a file has the name of its folder");
    mkdirSync(this.hostPath(path));
    this.#folders.add(path);
  }
}

/** A file that is being written. */
export class StagedFile {
  readonly #fd: number;
  readonly #path: string | Buffer;
  readonly #mtimeSeconds: number;
  #position = 0;

  constructor(path: string | Buffer, { mode, mtimeSeconds }: FileAttributes) {
    this.#path = path;
    this.#mtimeSeconds = mtimeSeconds;
    this.#fd = openSync(path, "wx", mode & 0o777);
  }

  write(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.byteLength; ) {
      const count = writeSync(this.#fd, bytes, done, bytes.byteLength - done, this.#position);
      done += count;
      this.#position += count;
    }
  }

  /** Zeros that take no place on the disk. */
  skip(length: number): void {
    this.#position += length;
  }

  close(): void {
    try {
      ftruncateSync(this.#fd, this.#position);
    } finally {
      closeSync(this.#fd);
    }
    if (this.#mtimeSeconds > 0) utimesSync(this.#path, this.#mtimeSeconds, this.#mtimeSeconds);
  }

  abandon(): void {
    closeSync(this.#fd);
  }
}

/** Sets what a folder is to have, as far as the process's mask lets it; after this nothing can be put in, perhaps. */
export function settleFolder(host: string | Buffer, { mode, mtimeSeconds }: FileAttributes): void {
  chmodSync(host, lstatSync(host).mode & mode & 0o777);
  if (mtimeSeconds > 0) utimesSync(host, mtimeSeconds, mtimeSeconds);
}

function refused(path: ByteString, state: string): CliError {
  return new CliError("INPUT_UNUSABLE", `Cannot unpack ${JSON.stringify(fromByteString(path))}: ${state}`);
}
