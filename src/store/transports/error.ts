import { StrakeError } from "../../errors.ts";

export type TransportErrorCode =
  /** No file or folder of that name. */
  | "ARCHIVE_NOT_FOUND"
  /** The file or folder is there, but is no image layout or archive, or a damaged one. */
  | "ARCHIVE_INVALID"
  /** It holds no image. */
  | "NO_IMAGE"
  /** It holds no image of that name. */
  | "NO_SUCH_IMAGE"
  /** It holds several images, and nothing says which is meant. */
  | "IMAGE_AMBIGUOUS"
  /** The file or folder can't be written. */
  | "NOT_WRITABLE";

/** An image layout or archive could not be read or written. */
export class TransportError extends StrakeError<TransportErrorCode> {
  static override readonly name: string = "TransportError";
}
