import { StrakeError } from "../errors.ts";

export type OciErrorCode =
  | "DIGEST_INVALID"
  | "REFERENCE_INVALID"
  | "PLATFORM_INVALID"
  | "DOCUMENT_INVALID"
  | "BLOB_NOT_FOUND"
  | "BLOB_CORRUPT"
  | "NO_SUCH_PLATFORM"
  /** An image cannot have the media types that are wanted. */
  | "NOT_CONVERTIBLE";

/** A document, name or blob that does not follow the OCI specifications. */
export class OciError extends StrakeError<OciErrorCode> {
  static override readonly name: string = "OciError";
}
