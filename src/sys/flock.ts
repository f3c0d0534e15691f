import { createRequire } from "node:module";
import { getSystemErrorName } from "node:util";
import { lazily } from "../util/lazily.ts";

export type FlockMode = "shared" | "exclusive";

/** The calls behind leases. */
export interface FlockCalls {
  /**
   * Takes the advisory lock of an open file or folder without waiting. The lock belongs to the open file description:
   * it ends when that is closed, so at the latest when the process dies, however it dies.
   * @returns false when somebody else holds it in a way that excludes this
   * @throws an Error with the `code` of errno, e.g. ENOLCK on a file system without locks
   */
  tryLock(fd: number, mode: FlockMode): boolean;
  unlock(fd: number): void;
  /** Writes all that is dirty on the file system of `fd` to its disk. Runs off the main thread. */
  syncFileSystem(fd: number): Promise<void>;
}

const LOCK_SHARED = 1;
const LOCK_EXCLUSIVE = 2;
const LOCK_NONBLOCKING = 4;
const LOCK_UNLOCK = 8;

const EINTR = 4;
const EWOULDBLOCK = 11;

/** Binds flock(2) and syncfs(2), once. Loading koffi takes some 6 ms, so call this only when a lock is needed. */
export const bindFlock: () => FlockCalls = lazily(loadFlock);

function loadFlock(): FlockCalls {
  const koffi = createRequire(import.meta.url)("koffi") as typeof import("koffi");
  const libc = koffi.load(null);
  const flock = libc.func("int flock(int fd, int operation)");
  const syncfs = libc.func("int syncfs(int fd)");
  const call = (fd: number, operation: number): number => {
    for (;;) {
      if (flock(fd, operation) === 0) return 0;
      const errno = koffi.errno();
      if (errno !== EINTR) return errno;
    }
  };
  return {
    tryLock(fd, mode) {
      const errno = call(fd, LOCK_NONBLOCKING | (mode === "shared" ? LOCK_SHARED : LOCK_EXCLUSIVE));
      if (errno !== 0 && errno !== EWOULDBLOCK) throw errnoError("flock", errno);
      return errno === 0;
    },
    unlock(fd) {
      const errno = call(fd, LOCK_UNLOCK);
      if (errno !== 0) throw errnoError("flock", errno);
    },
    syncFileSystem: (fd) =>
      new Promise((resolve, reject) => {
        syncfs.async(fd, (error: Error | null, result: number) => {
          if (error !== null) reject(error);
          // errno belongs to the thread that made the call, so the reason is not known here.
          else if (result !== 0) reject(errnoError("syncfs", 5));
          else resolve();
        });
      }),
  };
}

function errnoError(syscall: string, errno: number): Error {
  const code = getSystemErrorName(-errno);
  return Object.assign(new Error(`${code}: ${syscall}`), { code, errno: -errno, syscall });
}
