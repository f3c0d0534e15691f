import type { BlobSource, Descriptor } from "../../oci/index.ts";
import type { BuildStore } from "../collaborators.ts";

type LayerPlaces = Pick<BuildStore, "blobs" | "layers">;

/**
 * Blobs of layers wherever they are: in the store, else in a repository that is known to have them. The layers of a
 * base image stay there until somebody reads them, which may be a later build than the one that looked the image up.
 * @param blobsOf the blobs of a repository, `registry/repository`
 * @param origin the repository to try where nothing is known of a blob
 */
export function layerBlobs(
  store: LayerPlaces,
  blobsOf: (origin: string) => BlobSource | Promise<BlobSource>,
  origin?: string,
): BlobSource {
  return {
    async openBlob(descriptor, options) {
      if (await store.blobs.hasBlob(descriptor)) return store.blobs.openBlob(descriptor, options);
      const [known = origin] = await originsOf(store, descriptor);
      const source = known === undefined ? store.blobs : await blobsOf(known);
      return source.openBlob(descriptor, options);
    },
  };
}

/** Repositories that are known to have a layer's blob: where its base image was pulled from. */
export async function originsOf(store: LayerPlaces, { digest }: Descriptor): Promise<readonly string[]> {
  const diffId = await store.layers.diffIdOf(digest);
  const info = diffId === undefined ? undefined : await store.layers.info(diffId);
  return info?.origins ?? [];
}
