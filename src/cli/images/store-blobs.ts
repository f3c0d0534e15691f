import { layerBlobs } from "../../builder/remote/index.ts";
import {
  type BlobSource,
  isDigest,
  type ManifestSource,
  OciError,
  parseReference,
  readDocument,
} from "../../oci/index.ts";
import type { RegistryClient } from "../../registry/index.ts";
import type { Store } from "../../store/index.ts";

/**
 * The store's blobs and manifests. A blob whose bytes are not here (a layer of a base image that nobody has read) is
 * passed on from where it came from.
 */
export function storeSource(
  store: Store,
  client: () => Promise<RegistryClient>,
): BlobSource & ManifestSource {
  return {
    ...layerBlobs(store, async (origin) => (await client()).repository(parseReference(origin))),
    async fetchManifest(name) {
      if (!isDigest(name))
        throw new OciError("BLOB_NOT_FOUND", `Cannot find manifest "${name}" in the store`);
      return readDocument(await store.blobs.readBlob(name), { mediaType: "", digest: name });
    },
  };
}
