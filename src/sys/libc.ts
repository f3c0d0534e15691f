import { createRequire } from "node:module";
import { lazily } from "../util/lazily.ts";
import { SysError } from "./error.ts";

/** A C function that answers a number, negative when it failed. */
export type ForeignFunction = (...args: readonly (number | bigint | Uint8Array | null)[]) => number;

/** One that may be called on another thread, where nobody is kept waiting by it. The memory that it gets must stay. */
export interface WaitingFunction extends ForeignFunction {
  readonly async: (
    ...args: [...(number | bigint | Uint8Array | null)[], (error: Error | null, result: number) => void]
  ) => void;
}

export interface Libc {
  readonly llistxattr: ForeignFunction;
  readonly lgetxattr: ForeignFunction;
  readonly lsetxattr: ForeignFunction;
  readonly lremovexattr: ForeignFunction;
  readonly mknod: ForeignFunction;
  readonly utimensat: ForeignFunction;
  readonly futimens: ForeignFunction;
  readonly close: ForeignFunction;
  readonly fcntl: ForeignFunction;
  readonly setsockopt: ForeignFunction;
  readonly sendfile: WaitingFunction;
  /** The errno of the last call that failed. */
  readonly errno: () => number;
}

/**
 * The C library that this process already runs on. Loading koffi takes about 8 ms, so it happens at the first
 * call, and once: what is kept here is never changed afterwards.
 */
export const libc: () => Libc = lazily(loadLibc);

/** @throws {SysError} when `result` is negative, with the errno of the call just made. */
export function check(result: number, syscall: string, path?: string): number {
  if (result < 0) throw new SysError({ errno: libc().errno(), syscall, ...(path !== undefined && { path }) });
  return result;
}

function loadLibc(): Libc {
  const koffi = createRequire(import.meta.url)("koffi") as typeof import("koffi");
  const library = koffi.load(null);
  const declare = (prototype: string) => library.func(prototype) as unknown as ForeignFunction;
  return {
    llistxattr: declare("long llistxattr(const void *path, void *list, size_t size)"),
    lgetxattr: declare("long lgetxattr(const void *path, const void *name, void *value, size_t size)"),
    lsetxattr: declare(
      "int lsetxattr(const void *path, const void *name, const void *value, size_t size, int flags)",
    ),
    lremovexattr: declare("int lremovexattr(const void *path, const void *name)"),
    mknod: bindMknod(declare),
    utimensat: declare("int utimensat(int folder, const void *path, const void *times, int flags)"),
    futimens: declare("int futimens(int fd, const void *times)"),
    close: declare("int close(int fd)"),
    // It is variadic, which makes no difference to how Linux's machines pass a number.
    fcntl: declare("int fcntl(int fd, int command, int value)"),
    setsockopt: declare("int setsockopt(int fd, int level, int name, const void *value, uint32_t size)"),
    sendfile: bindSendfile(declare),
    errno: () => koffi.errno(),
  };
}

/** With offsets of 64 bits, which glibc has under a name of their own and musl has always. */
function bindSendfile(declare: (prototype: string) => ForeignFunction): WaitingFunction {
  const rest = "(int out, int in, void *offset, size_t count)";
  try {
    return declare(`long sendfile64${rest}`) as WaitingFunction;
  } catch {
    return declare(`long sendfile${rest}`) as WaitingFunction;
  }
}

/** Before glibc 2.33 programs were given a mknod when they were linked, and the library has only what it calls. */
function bindMknod(declare: (prototype: string) => ForeignFunction): ForeignFunction {
  try {
    return declare("int mknod(const void *path, uint32_t mode, uint64_t device)");
  } catch {
    const xmknod = declare("int __xmknod(int version, const void *path, uint32_t mode, const void *device)");
    return (path, mode, device) =>
      xmknod(
        0,
        path as Uint8Array,
        mode as number,
        new Uint8Array(BigUint64Array.of(device as bigint).buffer),
      );
  }
}
