import { StrakeError } from "../errors.ts";

export type TarErrorCode =
  /** The first block is no tar header. */
  | "NOT_A_TAR"
  /** A header whose checksum is wrong, or with a field that cannot be read. */
  | "HEADER_INVALID"
  /** A name, extended header or sparse map longer than anything honest. */
  | "HEADER_TOO_LARGE"
  /** The bytes end inside a header, a file or before the end marker. */
  | "TRUNCATED"
  /** An entry of a kind that has no meaning in a layer (multi-volume, unknown type). */
  | "UNSUPPORTED"
  /** A name or hard link that leads out of the archive's root. */
  | "PATH_ESCAPES";

/** An archive that cannot be read. */
export class TarError extends StrakeError<TarErrorCode> {
  static override readonly name: string = "TarError";
}
