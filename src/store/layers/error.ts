import { StrakeError } from "../../errors.ts";
import { type ByteString, fromByteString } from "../../oci/layer-entry.ts";

export type LayerErrorCode =
  /** A source file is not what its entry says: its size changed, it vanished or became something else. */
  | "FILE_CHANGED"
  /** The bytes of a layer do not have the digest they should. */
  | "DIFF_ID_MISMATCH"
  /** A hard link to a file that neither the layer nor the layers below have. */
  | "LINK_TARGET_MISSING"
  /** A layer has something that cannot be: a root that is no folder, a loop of symlinks among its folders. */
  | "ENTRY_INVALID"
  /** This process may not make the entry: a device or an owner that its user namespace does not have. */
  | "NOT_PERMITTED";

/** A layer that cannot be written, read or unpacked. */
export class LayerError extends StrakeError<LayerErrorCode> {
  static override readonly name: string = "LayerError";
}

/** A path as messages have it. */
export function showPath(path: ByteString): string {
  return JSON.stringify(fromByteString(path));
}
