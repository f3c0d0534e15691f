import { StrakeError } from "../../errors.ts";

export type FilesErrorCode =
  /** A source of a COPY or ADD is not in its tree. */
  | "SOURCE_NOT_FOUND"
  /** A wildcard or exclude pattern that cannot be read. */
  | "PATTERN_INVALID"
  /** A file is in the way of a folder, or the other way round. */
  | "DESTINATION_CONFLICT"
  | "TOO_MANY_LINKS"
  | "CHMOD_INVALID"
  | "CHECKSUM_INVALID"
  | "CHECKSUM_MISMATCH"
  /** An archive that ADD unpacks is damaged, or holds what must not be unpacked. */
  | "ARCHIVE_INVALID"
  /** An archive that must be unpacked needs a program that this machine lacks. */
  | "DECOMPRESSOR_MISSING"
  | "USER_NOT_FOUND"
  | "GROUP_NOT_FOUND"
  /** A file was there and could not be read. */
  | "READ_FAILED";

/** A COPY, ADD, WORKDIR or USER that its files do not allow. The caller adds the place in the Dockerfile. */
export class FilesError extends StrakeError<FilesErrorCode> {
  static override readonly name: string = "FilesError";
}
