import type { Descriptor, Digest, ImageManifest, Platform } from "../../oci/index.ts";
import type { ImageEncoding } from "../types.ts";
import { checkAnnotatedPlatforms, splitAnnotations } from "./annotations.ts";
import { type BuiltImage, blobsOf, putIndex, putManifest } from "./image-documents.ts";
import { isMultiPlatform } from "./is-multi-platform.ts";
import type { OutputContext } from "./output-context.ts";
import { rewriteTimestamps } from "./rewrite-timestamps.ts";

/** A platform's image with its manifest, both in the store. */
export interface WrittenImage {
  readonly platform: Platform;
  readonly imageId: Digest;
  readonly manifest: Descriptor;
  readonly document: ImageManifest;
}

/** The images of a build as an output hands them on. */
export interface ImageSet {
  readonly images: readonly [WrittenImage, ...WrittenImage[]];
  /** Over several images; over one where the index was annotated, or asked for. */
  readonly index: Descriptor | undefined;
  /** What a name will point at: the index, else the one manifest. */
  readonly root: Descriptor;
}

/**
 * Makes the manifests of a build's images, and the index over them.
 * @param options.lazy base layers that nobody has read may stay in their registry
 * @throws {BuildError} OUTPUT_FAILED, UNSUPPORTED
 */
export async function putImageSet(
  images: readonly BuiltImage[],
  context: OutputContext,
  { encoding, lazy }: { readonly encoding: ImageEncoding; readonly lazy: boolean },
): Promise<ImageSet> {
  const annotations = [...context.options.annotations, ...(encoding.annotations ?? [])];
  checkAnnotatedPlatforms(
    annotations,
    images.map(({ platform }) => platform),
  );
  const { compression, compressionLevel, forceCompression, ociMediaTypes } = encoding;
  const isDocker = ociMediaTypes === false;
  const written: WrittenImage[] = [];
  for (const built of images) {
    context.signal.throwIfAborted();
    const image = encoding.rewriteTimestamp === true ? await rewriteTimestamps(built, context) : built;
    const { platform } = image;
    const made = await putManifest(image, context, {
      annotations: splitAnnotations(annotations, platform),
      isDocker,
      lazy,
      ...(compression === undefined ? {} : { compression }),
      ...(compressionLevel === undefined ? {} : { level: compressionLevel }),
      ...(forceCompression === undefined ? {} : { force: forceCompression }),
    });
    written.push({
      platform,
      imageId: image.configDescriptor.digest,
      manifest: made.descriptor,
      document: made.manifest,
    });
  }
  const [first, ...others] = written;
  if (first === undefined) throw new TypeError("a build has at least one image");
  const shared = splitAnnotations(annotations);
  const isIndexAnnotated = [shared.index, shared.indexDescriptor].some((set) => Object.keys(set).length > 0);
  if (!isMultiPlatform(context.options) && !isIndexAnnotated)
    return { images: [first], index: undefined, root: first.manifest };
  const entries = written.map(({ manifest, platform }) => ({ ...manifest, platform }));
  const index = await putIndex(context.store, entries, { annotations: shared, isDocker });
  return { images: [first, ...others], index, root: index };
}

/** What a build's images are known by: the image ID, or the digest of the index. */
export function idOfSet({ images, index }: ImageSet): Digest {
  return index?.digest ?? images[0].imageId;
}

/** Every blob of the images, their manifests and the index. */
export function allBlobs({ images, index }: ImageSet): readonly Descriptor[] {
  const blobs = images.flatMap((image) => [...blobsOf(image.document), image.manifest]);
  return index === undefined ? blobs : [...blobs, index];
}
