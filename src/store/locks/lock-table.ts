import { closeSync, constants, fstatSync, futimesSync, openSync, statSync, unlinkSync, watch } from "node:fs";
import type { FlockCalls, FlockMode } from "../../sys/flock.ts";
import { diskFault, isErrno } from "../disk/disk-fault.ts";
import type { StorePaths } from "../paths.ts";

export interface LockOptions {
  /** "exclusive" when absent. Any number of holders may share a lock. */
  readonly mode?: FlockMode;
  readonly signal?: AbortSignal | undefined;
}

/** A held lock. Releasing is idempotent; the death of the process releases too. */
export interface Lease extends Disposable, AsyncDisposable {
  readonly name: string;
  release(): void;
}

/** How long a waiter sleeps when nothing is announced: a holder that was killed announces nothing. */
const RECHECK_MS = 250;

/**
 * Leases by name between all processes that use one store: flock(2) on files in `locks/`. The file is removed on
 * release, so the folder holds only what is held (or was, by a process that was killed; an empty file does no harm).
 */
export class LockTable {
  readonly #paths: StorePaths;
  readonly #calls: () => FlockCalls;

  /** @param calls binds the system calls; asked before each lock */
  constructor(paths: StorePaths, calls: () => FlockCalls) {
    this.#paths = paths;
    this.#calls = calls;
  }

  /**
   * Waits for the lock and takes it. Not reentrant: the same process waits for itself.
   * @throws the signal's reason; {StoreError} STORE_NOT_WRITABLE, DISK_FULL, DISK_FAILED
   */
  async acquireLock(name: string, { mode = "exclusive", signal }: LockOptions = {}): Promise<Lease> {
    const path = this.#paths.lock(name);
    signal?.throwIfAborted();
    try {
      const atOnce = this.#attempt(path, mode);
      if (atOnce !== undefined) return this.#lease(name, path, atOnce, mode);
      for (;;) {
        const fd = await this.#attemptOrWait(path, mode, signal);
        if (fd !== undefined) return this.#lease(name, path, fd, mode);
      }
    } catch (cause) {
      signal?.throwIfAborted();
      throw diskFault(`take the lock "${name}"`, path, cause);
    }
  }

  /** Takes the lock if nobody holds it now, else undefined. */
  tryLock(name: string, mode: FlockMode = "exclusive"): Lease | undefined {
    const path = this.#paths.lock(name);
    try {
      const fd = this.#attempt(path, mode);
      return fd === undefined ? undefined : this.#lease(name, path, fd, mode);
    } catch (cause) {
      throw diskFault(`take the lock "${name}"`, path, cause);
    }
  }

  /** Runs `work` while holding the lock. */
  async withLease<T>(name: string, work: (lease: Lease) => Promise<T>, options?: LockOptions): Promise<T> {
    const lease = await this.acquireLock(name, options);
    try {
      return await work(lease);
    } finally {
      lease.release();
    }
  }

  /** Removes a lock file that a killed process left; one that is held stays. */
  removeIfFree(path: string): void {
    const fd = this.#attempt(path, "exclusive");
    if (fd !== undefined) this.#lease("", path, fd, "exclusive").release();
  }

  #attempt(path: string, mode: FlockMode): number | undefined {
    for (;;) {
      const fd = openLockFile(path);
      try {
        if (!this.#calls().tryLock(fd, mode)) {
          closeSync(fd);
          return undefined;
        }
      } catch (error) {
        closeSync(fd);
        throw error;
      }
      // The holder before us removes the file: what we locked may be a file that nobody else can find any more.
      if (isCurrent(fd, path)) return fd;
      closeSync(fd);
    }
  }

  /** One round of waiting: returns the locked file, or undefined when it is worth another try. */
  async #attemptOrWait(
    path: string,
    mode: FlockMode,
    signal: AbortSignal | undefined,
  ): Promise<number | undefined> {
    const fd = openLockFile(path);
    const wake = new Wake();
    let watcher: { close(): void } | undefined;
    let keep = false;
    try {
      watcher = watchFile(fd, wake.up);
      // Tried once more now that the file is watched: a release before that would go unseen.
      if (this.#calls().tryLock(fd, mode)) {
        keep = isCurrent(fd, path);
        return keep ? fd : undefined;
      }
      await wake.wait(RECHECK_MS, signal);
      signal?.throwIfAborted();
      return undefined;
    } finally {
      watcher?.close();
      if (!keep) closeSync(fd);
    }
  }

  #lease(name: string, path: string, fd: number, mode: FlockMode): Lease {
    const calls = this.#calls();
    let held = true;
    const release = (): void => {
      if (!held) return;
      held = false;
      try {
        // Of several sharers only the last may remove the file, and only the last gets it exclusively.
        if (mode === "exclusive" || calls.tryLock(fd, "exclusive")) {
          if (isCurrent(fd, path)) unlinkSync(path);
        } else {
          calls.unlock(fd);
          futimesSync(fd, new Date(), new Date()); // wakes who waits
        }
      } catch {
        // Closing is what releases; a file left behind is used again by the next holder.
      } finally {
        closeSync(fd);
      }
    };
    return {
      name,
      release,
      [Symbol.dispose]: release,
      [Symbol.asyncDispose]: async () => release(),
    };
  }
}

/** A sleep that can be ended early, also before it began. */
class Wake {
  #isUp = false;
  #resolve: (() => void) | undefined;

  readonly up = (): void => {
    this.#isUp = true;
    this.#resolve?.();
  };

  async wait(maxMs: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.#isUp || signal?.aborted === true) return;
    const timer = setTimeout(this.up, maxMs);
    signal?.addEventListener("abort", this.up, { once: true });
    await new Promise<void>((resolve) => {
      this.#resolve = resolve;
    });
    clearTimeout(timer);
    signal?.removeEventListener("abort", this.up);
  }
}

function openLockFile(path: string): number {
  return openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
}

function isCurrent(fd: number, path: string): boolean {
  try {
    const [held, found] = [fstatSync(fd, { bigint: true }), statSync(path, { bigint: true })];
    return held.ino === found.ino && held.dev === found.dev;
  } catch (error) {
    if (isErrno(error, "ENOENT")) return false;
    throw error;
  }
}

function watchFile(fd: number, onChange: () => void): { close(): void } | undefined {
  try {
    // By way of the open file, so that it is the locked one even if the path has a new one by now.
    const watcher = watch(`/proc/self/fd/${fd}`, { persistent: false }, onChange);
    watcher.on("error", onChange);
    return watcher;
  } catch {
    return undefined; // no watches left on this machine: the recheck alone finds the release
  }
}
