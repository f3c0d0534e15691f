import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
} from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import type { FlockCalls } from "../../sys/flock.ts";
import { diskFault, isErrno, onDisk } from "./disk-fault.ts";
import { removeTree } from "./remove-tree.ts";

export interface TempSpaceOptions {
  /**
   * What the folders' names begin with, where the root is not ours alone, like /dev/shm: then only folders with such names
   * that belong to this user are looked at. Absent: everything in the root is ours.
   */
  readonly prefix?: string;
}

/**
 * This process's own folder in `tmp/`, made and locked at first use. Everything unfinished lies there; when the
 * process dies, however it dies, the lock ends and the next process to open the store removes the folder.
 */
export class TempSpace {
  readonly #root: string;
  readonly #calls: () => FlockCalls;
  readonly #prefix: string | undefined;
  #own: { readonly dir: string; readonly fd: number } | undefined;
  #count = 0;
  readonly #removals = new Set<Promise<void>>();

  constructor(root: string, calls: () => FlockCalls, { prefix }: TempSpaceOptions = {}) {
    this.#root = root;
    this.#calls = calls;
    this.#prefix = prefix;
  }

  /**
   * The folder, on the same file system as everything else in the store.
   * @throws {StoreError} STORE_NOT_WRITABLE, DISK_FULL, DISK_FAILED
   */
  get dir(): string {
    this.#own ??= this.#create();
    return this.#own.dir;
  }

  /** Makes the folder if it is not there yet. */
  prepare(): void {
    this.#own ??= this.#create();
  }

  /** A path in the folder that nothing has yet. */
  path(kind: string): string {
    return `${this.dir}/${kind}-${this.#count++}`;
  }

  /** A new empty folder in it, for us alone (mode 0700). */
  async makeFolder(kind: string): Promise<string> {
    const path = this.path(kind);
    await onDisk("make a temporary folder", path, () => mkdir(path, 0o700));
    return path;
  }

  /**
   * Takes a file or tree out of the way at once and removes it meanwhile; `close` waits for that. What can't be
   * removed now is left to the next start.
   */
  async discard(path: string): Promise<void> {
    const doomed = this.path("discarded");
    try {
      // Also within our folder: the caller may rename what `path` lies in.
      await rename(path, doomed);
    } catch (error) {
      if (isErrno(error, "ENOENT")) return;
      throw diskFault("remove", path, error);
    }
    const removal = removeTree(doomed)
      .catch(() => undefined)
      .finally(() => this.#removals.delete(removal));
    this.#removals.add(removal);
  }

  /** Removes what dead processes left; failures are left to a later start. */
  async cleanUp(signal: AbortSignal): Promise<void> {
    for (const name of this.#names()) {
      const path = `${this.#root}/${name}`;
      if (path !== this.#own?.dir) await this.#removeIfDead(path, signal).catch(() => undefined);
    }
  }

  /**
   * Whether something in `tmp/` looks like a dead process's: its process ID is not alive. Only a guess (a live process
   * of another PID namespace looks dead, a number used again looks alive), but it needs no locks.
   */
  looksAbandoned(): boolean {
    try {
      const skipped = this.#prefix?.length ?? 0;
      return this.#names().some(
        (name) => !existsSync(`/proc/${name.slice(skipped).split("-")[0]}`) && this.#isOurs(name),
      );
    } catch {
      return false;
    }
  }

  /** Removes the folder and gives up the lock. Using the space afterwards makes a new one. */
  async close(): Promise<void> {
    while (this.#removals.size > 0) await Promise.all(this.#removals);
    const own = this.#own;
    if (own === undefined) return;
    this.#own = undefined;
    try {
      await removeTree(own.dir);
    } catch {
      // Left to the next start.
    } finally {
      closeSync(own.fd);
    }
  }

  #create(): { readonly dir: string; readonly fd: number } {
    for (;;) {
      const dir = `${this.#root}/${this.#prefix ?? ""}${process.pid}-${Math.random().toString(36).slice(2, 10)}`;
      try {
        mkdirSync(dir, 0o700);
        const fd = openFolder(dir);
        // Between mkdir and the lock a cleaning process may have taken the folder for a dead one's.
        if (this.#calls().tryLock(fd, "exclusive") && isThere(dir)) return { dir, fd };
        closeSync(fd);
        rmSync(dir, { recursive: true, force: true });
      } catch (error) {
        if (!isErrno(error, "EEXIST", "ENOENT") || !isThere(this.#root)) {
          throw diskFault("make a temporary folder", dir, error);
        }
      }
    }
  }

  #names(): readonly string[] {
    const names = readdirSync(this.#root);
    const prefix = this.#prefix;
    if (prefix === undefined) return names;
    return names.filter(
      (name) => name.startsWith(prefix) && /^\d+-[a-z0-9]+$/.test(name.slice(prefix.length)),
    );
  }

  #isOurs(name: string): boolean {
    if (this.#prefix === undefined) return true;
    return lstatSync(`${this.#root}/${name}`, { throwIfNoEntry: false })?.uid === process.geteuid?.();
  }

  async #removeIfDead(path: string, signal: AbortSignal): Promise<void> {
    let fd: number;
    try {
      fd = openFolder(path);
    } catch (error) {
      const isLeftFile = this.#prefix === undefined && isErrno(error, "ENOTDIR", "ELOOP");
      if (isLeftFile) await removeTree(path, { signal });
      return;
    }
    try {
      // In a place for all, another user could put something else there while we remove.
      if (this.#prefix !== undefined && fstatSync(fd).uid !== process.geteuid?.()) return;
      // Held while removing: a second cleaner leaves it to us.
      if (this.#calls().tryLock(fd, "exclusive")) await removeTree(path, { signal });
    } finally {
      closeSync(fd);
    }
  }
}

function openFolder(path: string): number {
  return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
}

function isThere(path: string): boolean {
  try {
    closeSync(openFolder(path));
    return true;
  } catch {
    return false;
  }
}
