import { MAX_MANIFEST_BYTES } from "../../oci/index.ts";
import type { FetchMetadataOptions } from "../../registry/index.ts";
import type { Store } from "../../store/index.ts";

/** Looks manifests, indexes and configs up in the store, so that they are not fetched again. */
export function readKnownFrom(store: Store): NonNullable<FetchMetadataOptions["readKnown"]> {
  return async ({ digest }) => {
    if ((await store.blobs.statBlob(digest)) === undefined) return undefined;
    try {
      return await store.blobs.readBlob(digest, { maxBytes: MAX_MANIFEST_BYTES });
    } catch {
      // Damaged, or collected this moment: the registry has it.
      return undefined;
    }
  };
}
