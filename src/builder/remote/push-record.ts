import { parseReference } from "../../oci/index.ts";
import type { PushedImage, RegistryClient } from "../../registry/index.ts";
import type { ImageRecord, Store } from "../../store/index.ts";
import { layerBlobs, originsOf } from "../sources/layer-blobs.ts";

/**
 * Pushes an image of the store under its own name. A blob that the store doesn't have the bytes of (a layer of a base
 * image that nobody has read) is mounted in the registry where it can be, else passed on from where it came from.
 * @param record must have a manifest
 */
export async function pushRecord(
  client: RegistryClient,
  store: Store,
  record: ImageRecord,
  {
    byDigest = false,
    mayFallBack = false,
    signal,
  }: {
    /** Under its digest alone, without the tag. */
    readonly byDigest?: boolean;
    /** See `PushImageOptions`. */
    readonly mayFallBack?: boolean;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<PushedImage> {
  const { pushImage } = await import("../../registry/index.ts");
  if (record.manifest === undefined) throw new TypeError(`image "${record.reference}" has no manifest yet`);
  const { registry, repository, tag } = parseReference(record.reference);
  return pushImage(client, {
    source: layerBlobs(store, (origin) => client.repository(parseReference(origin))),
    // A name that stands for images of several platforms is pushed whole.
    root: record.images === undefined ? record.manifest : (record.index ?? record.manifest),
    reference: byDigest
      ? { registry, repository }
      : { registry, repository, ...(tag === undefined ? {} : { tag }) },
    mountFrom: (descriptor) => originsOf(store, descriptor),
    mayFallBack,
    signal,
  });
}
