import { SysError } from "./error.ts";
import { check, libc } from "./libc.ts";
import { cString } from "./path.ts";

/** The kernel's bound for both a value and the list of names. */
const XATTR_MAX_BYTES = 65536;

const ENODATA = 61;
const ENOTSUP = 95;

/** Reads and writes extended attributes with one buffer for all calls. Paths are bytes (latin1); links are not followed. */
export class Xattrs {
  readonly #buffer = Buffer.allocUnsafeSlow(XATTR_MAX_BYTES);

  /** Names of all attributes that this process may see; none where the file system has no attributes. */
  list(path: string): readonly string[] {
    const size = libc().llistxattr(cString(path), this.#buffer, XATTR_MAX_BYTES);
    if (size === 0) return NONE;
    if (size < 0) {
      if (libc().errno() === ENOTSUP) return NONE;
      check(size, "llistxattr", path);
    }
    return this.#buffer.toString("latin1", 0, size - 1).split("\0");
  }

  /** The value, a copy; undefined when the file has no such attribute. */
  get(path: string, name: string): Uint8Array | undefined {
    const size = libc().lgetxattr(cString(path), cString(name), this.#buffer, XATTR_MAX_BYTES);
    if (size < 0) {
      const errno = libc().errno();
      if (errno === ENODATA || errno === ENOTSUP) return undefined;
      throw new SysError({ errno, syscall: `lgetxattr ${name}`, path });
    }
    return new Uint8Array(this.#buffer.subarray(0, size));
  }

  /** Creates or replaces an attribute. */
  set(path: string, name: string, value: Uint8Array): void {
    check(libc().lsetxattr(cString(path), cString(name), value, value.length, 0), `lsetxattr ${name}`, path);
  }

  /** Removes an attribute; nothing happens when it is not there. */
  remove(path: string, name: string): void {
    const result = libc().lremovexattr(cString(path), cString(name));
    if (result < 0 && libc().errno() !== ENODATA) check(result, `lremovexattr ${name}`, path);
  }
}

const NONE: readonly string[] = Object.freeze([]);
