import { TarError } from "./error.ts";

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

/**
 * What a type flag means. In the oldest archives, whose files have none, a slash at the end of the name makes a folder;
 * with a flag it is what the flag says.
 * @throws {TarError} UNSUPPORTED
 */
export function entryKind(type: string, name: string): TarEntryKind {
  switch (type) {
    case "\0":
      return name.endsWith("/") ? "dir" : "file";
    case "0":
    case "7":
      return "file";
    case "1":
      return "hardlink";
    case "2":
      return "symlink";
    case "3":
      return "char";
    case "4":
      return "block";
    case "5":
    case "D":
      return "dir";
    case "6":
      return "fifo";
    default:
      throw new TarError(
        "UNSUPPORTED",
        `Cannot read archive: unhandled tar header type ${type.charCodeAt(0)}, an entry of unknown type ${JSON.stringify(type)}`,
      );
  }
}
