import { StrakeError } from "../../errors.ts";

export type DecompressErrorCode =
  /** The bytes end too soon. */
  | "TRUNCATED"
  /** The bytes do not follow the format, or a checksum is wrong. */
  | "CORRUPT"
  /** The format allows it, but this decoder does not: a dictionary, a window larger than the bound. */
  | "UNSUPPORTED";

/** Compressed bytes that cannot be decompressed. */
export class DecompressError extends StrakeError<DecompressErrorCode> {
  static override readonly name: string = "DecompressError";
}

export function truncated(format: string): DecompressError {
  return new DecompressError("TRUNCATED", `Cannot decompress ${format}: unexpected EOF`);
}

export function corrupt(format: string, what: string): DecompressError {
  return new DecompressError("CORRUPT", `Cannot decompress ${format}: ${what}`);
}
