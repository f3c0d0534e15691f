import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  ftruncateSync,
  lchownSync,
  linkSync,
  mkdirSync,
  openSync,
  rmSync,
  symlinkSync,
  writeSync,
} from "node:fs";
import type { ByteString, LayerEntry } from "../../oci/layer-entry.ts";
import { fsPath, makeNode, setFdMtime, setMtime, Xattrs } from "../../sys/index.ts";
import { CreationDefaults } from "./creation-defaults.ts";
import { LayerError, showPath } from "./error.ts";
import { OPAQUE_VALUE, OPAQUE_XATTR, ROOT_ENTRY_XATTR, readLayerXattrs } from "./overlay-marks.ts";
import { RealFolders } from "./real-folders.ts";

/** A file of a snapshot being filled. */
export interface SnapshotFile {
  /** Appends bytes; all of them are written, or it throws. */
  write(bytes: Uint8Array): void;
  /** Leaves that many zeros out. */
  skip(length: number): void;
  /** Sets owner, mode, attributes and time, and closes. */
  close(): void;
  /** Closes without finishing, after an error. */
  abandon(): void;
}

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * Puts entries into a folder in overlay form. Every parent must exist as a real folder: this class follows no
 * symlink, but does not look either. Times of folders are set by `finish`.
 */
export class SnapshotWriter {
  readonly #root: string;
  readonly #xattrs = new Xattrs();
  readonly #defaults: CreationDefaults;
  readonly #folderTimes = new Map<ByteString, number>();
  #hasRemoved = false;

  /** `root` is an existing folder, path as bytes. */
  constructor(root: string) {
    this.#root = root;
    this.#defaults = new CreationDefaults(root, this.#xattrs);
  }

  hostPath(path: ByteString): string {
    return path === "" ? this.#root : `${this.#root}/${path}`;
  }

  /** Makes everything but files, which have bytes: those go through `createFile`. */
  write(entry: LayerEntry): void {
    const host = this.hostPath(entry.path);
    switch (entry.kind) {
      case "dir":
        if (entry.path === "") this.#xattrs.set(host, ROOT_ENTRY_XATTR, OPAQUE_VALUE);
        else mkdirSync(fsPath(host), 0o700);
        this.setAttributes(entry);
        return;
      case "symlink":
        symlinkSync(fsPath(entry.link ?? ""), fsPath(host));
        this.setAttributes(entry);
        return;
      case "hardlink":
        linkSync(fsPath(this.hostPath(entry.link as ByteString)), fsPath(host));
        return;
      case "char":
      case "block":
      case "fifo":
        this.#permit(entry, () => makeNode(host, { ...entry, kind: entry.kind as "char", mode: 0o600 }));
        this.setAttributes(entry);
        return;
      case "whiteout":
        this.#permit(entry, () => makeNode(host, { kind: "char", mode: 0 }));
        return;
      case "opaque":
        this.#xattrs.set(host, OPAQUE_XATTR, OPAQUE_VALUE);
        return;
      case "file":
        throw new TypeError("A file is made by createFile");
      default:
        entry.kind satisfies never;
    }
  }

  /** Creates an empty file; its owner may fill it. */
  createFile(entry: LayerEntry): SnapshotFile {
    const host = this.hostPath(entry.path);
    const hasMode = this.#defaults.haveMode(entry);
    const fd = openSync(fsPath(host), CREATE, hasMode ? entry.mode : 0o600);
    let at = 0;
    let hasHole = false;
    return {
      write: (bytes) => {
        for (let done = 0; done < bytes.length; ) {
          const count = writeSync(fd, bytes, done, bytes.length - done, hasHole ? at : null);
          done += count;
          at += count;
        }
      },
      skip: (length) => {
        hasHole = true;
        at += length;
      },
      close: () => {
        try {
          if (hasHole) ftruncateSync(fd, at);
          const hasOwner = this.#defaults.haveOwner(entry);
          if (!hasOwner) this.#permit(entry, () => fchownSync(fd, entry.uid, entry.gid));
          if (!hasMode) fchmodSync(fd, entry.mode);
          // After the owner: changing that removes a capability.
          if (entry.xattrs !== undefined) this.#setXattrs(entry, host);
          setFdMtime(fd, entry.mtimeSeconds, host);
        } finally {
          closeSync(fd);
        }
      },
      abandon: () => closeSync(fd),
    };
  }

  /** Sets owner, mode, attributes and time of what is there. */
  setAttributes(entry: LayerEntry): void {
    const host = this.hostPath(entry.path);
    this.#permit(entry, () => lchownSync(fsPath(host), entry.uid, entry.gid));
    if (entry.kind !== "symlink") chmodSync(fsPath(host), entry.mode);
    if (entry.xattrs !== undefined) this.#setXattrs(entry, host);
    if (entry.kind === "dir") this.#defaults.noteFolder(entry.mode);
    if (entry.kind === "dir") this.#folderTimes.set(entry.path, entry.mtimeSeconds);
    else setMtime(host, entry.mtimeSeconds);
  }

  /** Removes what layers store of a folder's attributes, before a later entry for it sets its own. */
  clearXattrs(path: ByteString): void {
    const host = this.hostPath(path);
    for (const name of readLayerXattrs(this.#xattrs, host)?.keys() ?? []) this.#xattrs.remove(host, name);
  }

  /** Removes whatever is at `path`, a folder with all it holds. */
  remove(path: ByteString): void {
    rmSync(fsPath(this.hostPath(path)), { recursive: true, force: true });
    this.#hasRemoved = true;
  }

  /** What is a folder at this moment: one that was made may be gone, or be something else. */
  realFolders(): RealFolders {
    return new RealFolders((path) => this.hostPath(path));
  }

  /** Gives folders their times, now that nothing is put into them any more. */
  finish(): void {
    const folders = this.realFolders();
    for (const [path, seconds] of this.#folderTimes) {
      if (!this.#hasRemoved || folders.has(path)) setMtime(this.hostPath(path), seconds);
    }
    this.#folderTimes.clear();
  }

  #setXattrs(entry: LayerEntry, host: string): void {
    for (const [name, value] of entry.xattrs ?? []) {
      this.#permit(entry, () => this.#xattrs.set(host, name, value));
    }
  }

  #permit(entry: LayerEntry, call: () => void): void {
    try {
      call();
    } catch (cause) {
      throw explain(entry, cause);
    }
  }
}

/** What may not be done in a user namespace, in words. */
function explain(entry: LayerEntry, cause: unknown): unknown {
  const code = (cause as { code?: unknown }).code;
  if (code !== "EPERM" && code !== "EINVAL") return cause;
  const name = showPath(entry.path);
  const what = describeAttempt(entry);
  return new LayerError("NOT_PERMITTED", `Cannot unpack ${name}: ${what}`, {
    hint: "Without root, owners must lie in the ranges of /etc/subuid and /etc/subgid, and devices cannot be made",
    cause,
  });
}

function describeAttempt({ kind, major, minor, uid, gid }: LayerEntry): string {
  if (kind === "whiteout") return "a whiteout may not be made here";
  if (kind === "char" || kind === "block") return `device ${major}:${minor} may not be made here`;
  return `owner ${uid}:${gid} or an attribute may not be set here`;
}
