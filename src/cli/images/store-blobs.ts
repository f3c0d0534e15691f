import {
  type BlobSource,
  type Descriptor,
  isDigest,
  type ManifestSource,
  OciError,
  parseReference,
  readDocument,
} from "../../oci/index.ts";
import type { RegistryClient } from "../../registry/index.ts";
import type { Store } from "../../store/index.ts";

/** Repositories that are known to have a layer's blob: where its base image was pulled from. */
export async function originsOf(store: Store, { digest }: Descriptor): Promise<readonly string[]> {
  const diffId = await store.layers.diffIdOf(digest);
  const info = diffId === undefined ? undefined : await store.layers.info(diffId);
  return info?.origins ?? [];
}

/**
 * The store's blobs and manifests. A blob whose bytes are not here (a layer of a base image that nobody has read) is
 * passed on from where it came from.
 */
export function storeSource(
  store: Store,
  client: () => Promise<RegistryClient>,
): BlobSource & ManifestSource {
  return {
    async fetchManifest(name) {
      if (!isDigest(name))
        throw new OciError("BLOB_NOT_FOUND", `Cannot find manifest "${name}" in the store`);
      return readDocument(await store.blobs.readBlob(name), { mediaType: "", digest: name });
    },
    async openBlob(descriptor, options) {
      if (await store.blobs.hasBlob(descriptor)) return store.blobs.openBlob(descriptor, options);
      const [origin] = await originsOf(store, descriptor);
      if (origin === undefined) return store.blobs.openBlob(descriptor, options);
      return (await client()).repository(parseReference(origin)).openBlob(descriptor, options);
    },
  };
}
