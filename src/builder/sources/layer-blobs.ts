import type { BlobSource, Descriptor } from "../../oci/index.ts";
import type { BuildStore, RemoteImages } from "../collaborators.ts";

/**
 * Blobs of layers wherever they are: in the store, else in a repository that is known to have them. The layers of a
 * base image stay there until somebody reads them, which may be a later build than the one that looked the image up.
 * @param origin `registry/repository` to try where nothing is known of a blob
 */
export function layerBlobs(store: BuildStore, remote: RemoteImages, origin?: string): BlobSource {
  return {
    async openBlob(descriptor, options) {
      if (await store.blobs.hasBlob(descriptor)) return store.blobs.openBlob(descriptor, options);
      const [known = origin] = await originsOf(store, descriptor);
      const source = known === undefined ? store.blobs : remote.blobs(known);
      return source.openBlob(descriptor, options);
    },
  };
}

async function originsOf(store: BuildStore, { digest }: Descriptor): Promise<readonly string[]> {
  const diffId = await store.layers.diffIdOf(digest);
  const info = diffId === undefined ? undefined : await store.layers.info(diffId);
  return info?.origins ?? [];
}
