import type { BlobOpener } from "./blob-source.ts";
import type { Descriptor } from "./descriptor.ts";

/** A blob that is still being made: its bytes can be read as they come, its digest and size are known at the end. */
export interface GrowingBlob {
  /**
   * Follows the bytes from an offset on, waiting for what is not there yet. The iteration ends where the blob turns out
   * to end, and throws what making it failed with. May be opened again, also when the blob is whole.
   */
  readonly open: BlobOpener;
  /** Fulfilled when the blob is whole, verified and stored; rejected when making it failed. */
  readonly descriptor: Promise<Descriptor>;
}
