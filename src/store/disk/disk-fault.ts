import { StoreError, type StoreErrorCode } from "../error.ts";

const CODES: Readonly<Record<string, StoreErrorCode>> = {
  ENOSPC: "DISK_FULL",
  EDQUOT: "DISK_FULL",
  EACCES: "STORE_NOT_WRITABLE",
  EPERM: "STORE_NOT_WRITABLE",
  EROFS: "STORE_NOT_WRITABLE",
};

const STATES: Readonly<Record<string, string>> = {
  ENOSPC: "no space is left on the disk",
  EDQUOT: "the disk quota is used up",
  EACCES: "permission denied",
  EPERM: "the operation is not permitted",
  EROFS: "the file system is read-only",
  EMFILE: "too many files are open",
  ENFILE: "too many files are open on this machine",
  EIO: "the disk reports an input/output error",
  ENOLCK: "the file system has no locks",
  EOPNOTSUPP: "the file system does not support that",
};

/**
 * Turns a refusal of the file system into a StoreError; every other error is returned as it is.
 * @param attempt completes "Cannot …", e.g. `write blob "sha256:…"`
 */
export function diskFault(attempt: string, path: string, cause: unknown): unknown {
  const errno = errnoCode(cause);
  if (errno === undefined) return cause;
  const code = CODES[errno] ?? "DISK_FAILED";
  const state = STATES[errno] ?? errno;
  return new StoreError(code, `Cannot ${attempt}: ${state} at "${path}"`, { hint: HINTS[code], cause });
}

const HINTS: Readonly<Partial<Record<StoreErrorCode, string>>> = {
  DISK_FULL: "Free some space, e.g. with `strake rmi`, or choose another store with STRAKE_ROOT",
  STORE_NOT_WRITABLE: "Run as the user who owns the store, or choose a store of your own with STRAKE_ROOT",
};

/** Runs file operations of one attempt; what the file system refuses is thrown as a StoreError. */
export async function onDisk<T>(attempt: string, path: string, work: () => Promise<T> | T): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw diskFault(attempt, path, cause);
  }
}

/** The errno name of a failed system call (`ENOENT`), undefined for any other error. */
function errnoCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("syscall" in error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  const code = errnoCode(error);
  return code !== undefined && codes.includes(code);
}
