import { isAscii } from "../util/is-ascii.ts";

declare const byteStringBrand: unique symbol;

/**
 * A file name or path as the kernel has it: one character for each byte (latin1), so that names which are no
 * UTF-8 survive, and comparing strings compares bytes. Pass to Node's fs as `Buffer.from(path, "latin1")`.
 */
export type ByteString = string & { readonly [byteStringBrand]: true };

/** From text (a Dockerfile, a command line): its UTF-8 bytes. */
export function toByteString(text: string): ByteString {
  return (isAscii(text) ? text : Buffer.from(text, "utf8").toString("latin1")) as ByteString;
}

/** For people: decoded as UTF-8, with U+FFFD where it is none. */
export function fromByteString(bytes: ByteString): string {
  return isAscii(bytes) ? bytes : Buffer.from(bytes, "latin1").toString("utf8");
}

export type LayerEntryKind =
  | "file"
  | "dir"
  | "symlink"
  | "hardlink"
  | "char"
  | "block"
  | "fifo"
  /** `path` is gone; written as `.wh.NAME` in a layer. */
  | "whiteout"
  /** What lower layers have below the folder `path` is gone; written as `.wh..wh..opq` inside it. */
  | "opaque";

/**
 * One change of a layer, independent of how it is stored (tar, overlay folder).
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md
 */
export interface LayerEntry {
  /** Relative to the root, without leading or trailing slash or `.`/`..` parts; "" only for the root folder itself. */
  readonly path: ByteString;
  readonly kind: LayerEntryKind;
  /** Permission bits with setuid, setgid and sticky: 0 to 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Whole seconds since the epoch; may be negative. */
  readonly mtimeSeconds: number;
  /** Bytes of a file; 0 for everything else. */
  readonly size: number;
  /** A symlink's target as written, or a hard link's target as a `path`. */
  readonly link?: ByteString;
  readonly major?: number;
  readonly minor?: number;
  /** Extended attributes by full name (`security.capability`, `user.x`). */
  readonly xattrs?: ReadonlyMap<string, Uint8Array>;
}
