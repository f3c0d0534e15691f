import { check, libc } from "./libc.ts";
import { cString } from "./path.ts";

export interface NodeOptions {
  readonly kind: "char" | "block" | "fifo";
  /** Permission bits, before the umask: change the mode afterwards. */
  readonly mode: number;
  readonly major?: number;
  readonly minor?: number;
}

const FORMAT_BITS = { char: 0o020000, block: 0o060000, fifo: 0o010000 } as const;

/**
 * Makes a device or FIFO at `path` (bytes as latin1).
 * @throws {SysError} EEXIST; EPERM for a device other than character 0/0 inside a user namespace
 */
export function makeNode(path: string, options: NodeOptions): void {
  const device = options.kind === "fifo" ? 0n : encodeDevice(options.major ?? 0, options.minor ?? 0);
  check(libc().mknod(cString(path), FORMAT_BITS[options.kind] | options.mode, device), "mknod", path);
}

/** glibc's makedev: 12 bits of major and 20 of minor, interleaved, then the rest. */
export function encodeDevice(major: number, minor: number): bigint {
  const a = BigInt(major);
  const b = BigInt(minor);
  return ((a & 0xfffff000n) << 32n) | ((a & 0xfffn) << 8n) | ((b & 0xffffff00n) << 12n) | (b & 0xffn);
}

/** The numbers inside an `st_rdev` as Node's Stats has it. */
export function decodeDevice(rdev: number): { readonly major: number; readonly minor: number } {
  const device = BigInt(rdev);
  return {
    major: Number(((device >> 32n) & 0xfffff000n) | ((device >> 8n) & 0xfffn)),
    minor: Number(((device >> 12n) & 0xffffff00n) | (device & 0xffn)),
  };
}
