import {
  type Descriptor,
  decodeImageConfig,
  type FetchedManifest,
  isAttestation,
  isImageConfigType,
  normalizePlatform,
  readDocument,
} from "../../oci/index.ts";
import type { ImageRecord, PlatformImage, Store } from "../../store/index.ts";
import { CliError } from "../error.ts";

/** What a record says of an image beside its name. */
export type RecordedImage = Omit<ImageRecord, "reference" | "createdAt">;

const MAX_DEPTH = 4;

/**
 * Takes note of an image or index that is in the store with all that it lists: which layer each blob is, and what a name
 * for it will stand for.
 * @param origin where the blobs came from, as `registry/repository`
 * @throws {CliError} INPUT_UNUSABLE when there is no image in it
 */
export async function recordRoot(
  store: Store,
  root: Descriptor,
  { shown, origin }: { readonly shown: string; readonly origin?: string | undefined },
): Promise<RecordedImage> {
  const images: PlatformImage[] = [];
  await collect(root, 0);
  const [first] = images;
  if (first === undefined) {
    throw new CliError("INPUT_UNUSABLE", `Cannot keep "${shown}" in the store: it is no image`, {
      hint: "strake artifact pull makes files of an artifact, strake copy puts it into a folder: oci:DIR",
    });
  }
  const { imageId, manifest, platform } = first;
  return manifest.digest === root.digest
    ? { imageId, manifest, platform }
    : { imageId, manifest, platform, index: root, images };

  async function collect(descriptor: Descriptor, depth: number): Promise<void> {
    const bytes = await store.blobs.readBlob(descriptor.digest);
    const document = readDocument(bytes, descriptor);
    if (document.kind === "manifest") {
      const image = await noteImage(store, document, origin);
      if (image !== undefined) images.push(image);
      return;
    }
    if (depth >= MAX_DEPTH) return;
    for (const entry of document.index.manifests) {
      if (!isAttestation(entry)) await collect(entry, depth + 1);
    }
  }
}

/** Undefined for an artifact that is no image. */
async function noteImage(
  store: Store,
  { manifest, descriptor }: FetchedManifest,
  origin: string | undefined,
): Promise<PlatformImage | undefined> {
  const { config, layers } = manifest;
  if (!isImageConfigType(config.mediaType)) return undefined;
  const decoded = decodeImageConfig(await store.blobs.readBlob(config.digest));
  for (const [i, diffId] of decoded.rootfs.diff_ids.entries()) {
    const blob = layers[i];
    if (blob !== undefined) await store.layers.noteBlob(diffId, blob, origin);
  }
  return { imageId: config.digest, manifest: descriptor, platform: normalizePlatform(decoded) };
}
