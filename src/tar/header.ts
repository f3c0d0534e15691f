/** What an entry of an archive is. Contiguous and sparse files are files. */
export type TarEntryKind = "file" | "dir" | "symlink" | "hardlink" | "char" | "block" | "fifo";

/** An entry as an archive has it: names are bytes (latin1) exactly as written, not yet cleaned or trusted. */
export interface TarHeader {
  readonly kind: TarEntryKind;
  readonly name: string;
  /** A symlink's target, or the name of the entry that a hard link repeats. */
  readonly link: string;
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly uname: string;
  readonly gname: string;
  /** Whole seconds, rounded down; may be negative. */
  readonly mtimeSeconds: number;
  /** Bytes of the file's content, holes included; 0 for everything but a file. */
  readonly size: number;
  readonly major: number;
  readonly minor: number;
  /** From `SCHILY.xattr.*` records. */
  readonly xattrs?: ReadonlyMap<string, Uint8Array>;
}
