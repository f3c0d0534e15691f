import { readKnownFrom } from "../../builder/remote/index.ts";
import {
  type Descriptor,
  type Digest,
  formatReference,
  type Platform,
  type Reference,
  withoutShadowedTag,
} from "../../oci/index.ts";
import type { RegistryClient } from "../../registry/index.ts";
import type { ImageRecord, Store } from "../../store/index.ts";

export interface PullOptions {
  readonly reference: Reference;
  /** The host's when absent. */
  readonly platform: Platform | undefined;
  /** Also unpack the layers, each as soon as it is there. */
  readonly unpack: boolean;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** Pulls one platform's image into the store, under the name it was asked for by. */
export async function pullIntoStore(
  client: RegistryClient,
  store: Store,
  options: PullOptions,
): Promise<ImageRecord> {
  const { fetchImageMetadata, pullContents } = await import("../../registry/index.ts");
  const { platform, signal, unpack } = options;
  const readKnown = readKnownFrom(store);
  const image = await fetchImageMetadata(client, options.reference, { platform, readKnown, signal });

  const { registry, repository } = image.reference;
  const origin = `${registry}/${repository}`;
  const layers = image.manifest.manifest.layers;
  const diffIds = image.config.config.rootfs.diff_ids;
  const unpacking: Promise<unknown>[] = [];
  const arrived = async (descriptor: Descriptor): Promise<void> => {
    const diffId = diffIds[layers.findIndex(({ digest }) => digest === descriptor.digest)];
    if (diffId === undefined) return;
    await store.layers.noteBlob(diffId, descriptor, origin);
    if (unpack) unpacking.push(startUnpacking(store, diffId, signal));
  };
  try {
    await pullContents(client, image, {
      sink: {
        async hasBlob(descriptor, at) {
          const isHere = await store.blobs.hasBlob(descriptor, at);
          if (isHere) await arrived(descriptor);
          return isHere;
        },
        async writeBlob(descriptor, open, at) {
          await store.blobs.writeBlob(descriptor, open, at);
          await arrived(descriptor);
        },
      },
      signal,
    });
  } finally {
    await Promise.allSettled(unpacking);
  }
  await Promise.all(unpacking);
  if (unpack) await store.layers.ensureStack(diffIds, { signal });

  const record: ImageRecord = {
    reference: formatReference(withoutShadowedTag(image.reference)),
    imageId: image.config.descriptor.digest,
    manifest: image.manifest.descriptor,
    ...(image.index === undefined ? {} : { index: image.index.descriptor }),
    platform: image.platform,
    createdAt: new Date(options.now()).toISOString(),
  };
  await store.images.put(record);
  return record;
}

/** Unpacks beside the transfers that go on; a failure is told when all are over. */
function startUnpacking(store: Store, diffId: Digest, signal: AbortSignal): Promise<string> {
  const unpacking = store.layers.ensureSnapshot(diffId, { signal });
  unpacking.catch(() => undefined);
  return unpacking;
}
