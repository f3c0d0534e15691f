import { StrakeError } from "../errors.ts";

export type StoreErrorCode =
  /** The folder is no store, and not empty either. */
  | "STORE_FOREIGN"
  /** A newer strake made the store. */
  | "STORE_TOO_NEW"
  /** A file of the store can't be read as what it should be, and nothing can make it again. */
  | "STORE_CORRUPT"
  | "STORE_NOT_WRITABLE"
  | "STORE_UNREADABLE"
  | "DISK_FULL"
  /** The file system refused something else: too many open files, an input/output error, no locks. */
  | "DISK_FAILED"
  /** No form of the layer has its bytes here. */
  | "LAYER_NOT_FOUND"
  /** What the store has of a layer does not give the bytes of its diffID. */
  | "LAYER_CORRUPT"
  /** An image ID prefix that several images have. */
  | "IMAGE_AMBIGUOUS"
  /** This Node.js lacks the codec. */
  | "COMPRESSION_UNAVAILABLE";

/** The store on disk could not do what was asked. */
export class StoreError extends StrakeError<StoreErrorCode> {
  static override readonly name: string = "StoreError";
}
