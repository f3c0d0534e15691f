import {
  type Descriptor,
  decodeImageConfig,
  decodeManifest,
  digestOf,
  formatFamiliarReference,
  formatReference,
  isSamePlatform,
  normalizePlatform,
  type Platform,
  parseReference,
  withDefaultTag,
  withoutShadowedTag,
} from "../../oci/index.ts";
import { imageFor } from "../../store/images/index.ts";
import type { ImageRecord } from "../../store/types.ts";
import type { Collaborators } from "../collaborators.ts";
import { BuildError } from "../error.ts";
import type { ResolvedImage } from "../resolved-image.ts";
import { layerBlobs } from "./layer-blobs.ts";
import { openLayoutImage } from "./oci-layout.ts";
import { readResolution, writeResolution } from "./resolution-record.ts";

export interface ResolveImageOptions {
  readonly platform: Platform;
  /** Ask the registry even where the store knows the name. */
  readonly pull: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Finds the documents of a base image by name: an image of the store, else what an earlier build resolved the name
 * to, else the registry. Layers are not touched. With `pull` the registry is always asked, as in `docker build --pull`.
 * @throws {BuildError} BASE_IMAGE; {OciError} REFERENCE_INVALID; whatever the registry client throws
 */
export async function resolveImage(
  name: string,
  { store, remote, now }: Pick<Collaborators, "store" | "remote" | "now">,
  options: ResolveImageOptions,
): Promise<ResolvedImage> {
  const asked = withDefaultTag(parseReference(name));
  const full = formatReference(withoutShadowedTag(asked));
  const origin = `${asked.registry}/${asked.repository}`;
  if (!options.pull) {
    const known = await resolveFromStore({ store, remote }, full, origin, options.platform);
    if (known !== undefined) return known;
  }
  const image = await remote.resolve(full, options.platform, { signal: options.signal });
  const { manifest } = image;
  await store.blobs.putBytes(image.manifestBytes, manifest.mediaType);
  const decoded = decodeManifest(image.manifestBytes);
  await store.blobs.putBytes(image.configBytes, decoded.config.mediaType);
  await writeResolution(store, {
    reference: full,
    platform: normalizePlatform(options.platform),
    manifest,
    ...(image.index === undefined ? {} : { index: image.index }),
    resolvedAt: new Date(now()).toISOString(),
  });
  const resolved = assemble({ ...image, name: full, origin });
  // Where the layers are outlasts this build: what is made on top of them can be pushed or built on without them.
  for (const { diffId, blob } of resolved.layers) await store.layers.noteBlob(diffId, blob, origin);
  return resolved;
}

/** The image in an OCI layout folder, under the name it is used by. */
export async function resolveLayout(
  name: string,
  layout: { readonly path: string; readonly reference?: string },
  platform: Platform,
): Promise<ResolvedImage> {
  const image = await openLayoutImage(layout.path, {
    platform,
    ...(layout.reference === undefined ? {} : { reference: layout.reference }),
  });
  return assemble({ name, ...image });
}

async function resolveFromStore(
  { store, remote }: Pick<Collaborators, "store" | "remote">,
  reference: string,
  origin: string,
  platform: Platform,
): Promise<ResolvedImage | undefined> {
  const record = await store.images.find(reference);
  const image = record === undefined ? undefined : fittingImage(record, platform);
  const known = image ?? (await readResolution(store, reference, normalizePlatform(platform)));
  const manifest = known?.manifest;
  // The images of an index that was made here have no word of it.
  const index = known?.index ?? (image === undefined ? undefined : record?.index);
  if (image !== undefined && manifest === undefined)
    return resolveBuilt({ store, remote }, image.reference, image.imageId);
  if (manifest === undefined) return undefined;
  try {
    const manifestBytes = await store.blobs.readBlob(manifest.digest);
    const configBytes = await store.blobs.readBlob(decodeManifest(manifestBytes).config.digest);
    return assemble({
      name: reference,
      origin,
      manifest,
      ...(index === undefined ? {} : { index }),
      manifestBytes,
      configBytes,
      blobs: layerBlobs(store, (name) => remote.blobs(name), origin),
    });
  } catch {
    // Collected or damaged: the registry has it again.
    return undefined;
  }
}

/**
 * The store's image for a platform. Where the registry has an index of which the store has one image, only that very
 * platform counts: the index may have one that fits better.
 */
function fittingImage(record: ImageRecord, platform: Platform): ImageRecord | undefined {
  const isWhole = record.images !== undefined || record.index === undefined;
  if (isWhole) return imageFor(record, platform);
  return isSamePlatform(record.platform, platform) ? record : undefined;
}

/** An image built here that nothing has needed a manifest of yet: its layers are in the store by diffID. */
async function resolveBuilt(
  { store, remote }: Pick<Collaborators, "store" | "remote">,
  reference: string,
  imageId: Descriptor["digest"],
): Promise<ResolvedImage> {
  const config = decodeImageConfig(await store.blobs.readBlob(imageId));
  const layers = await Promise.all(
    config.rootfs.diff_ids.map(async (diffId) => {
      const info = await store.layers.info(diffId);
      // No blob may exist yet; nobody fetches a layer that the store has in another form.
      const blob = info?.blob ?? { mediaType: "", digest: diffId, size: info?.tarSize ?? 0 };
      return { diffId, blob };
    }),
  );
  const manifest = { mediaType: "", digest: imageId, size: 0 };
  return {
    shownAs: formatFamiliarReference(parseReference(reference)),
    manifest,
    version: imageId,
    config,
    platform: platformOf(config),
    layers,
    blobs: layerBlobs(store, (name) => remote.blobs(name)),
  };
}

function assemble(image: {
  readonly name: string;
  readonly origin?: string;
  readonly manifest: Descriptor;
  readonly index?: Descriptor;
  readonly manifestBytes: Uint8Array;
  readonly configBytes: Uint8Array;
  readonly blobs: ResolvedImage["blobs"];
}): ResolvedImage {
  const manifest = decodeManifest(image.manifestBytes);
  if (digestOf(image.configBytes) !== manifest.config.digest && manifest.config.digest.startsWith("sha256:"))
    throw new BuildError(
      "BASE_IMAGE",
      `Cannot use "${image.name}": its config does not have the digest it should`,
    );
  const config = decodeImageConfig(image.configBytes);
  const diffIds = config.rootfs.diff_ids;
  if (diffIds.length !== manifest.layers.length)
    throw new BuildError(
      "BASE_IMAGE",
      `Cannot use "${image.name}": its manifest lists ${manifest.layers.length} layers, its config ${diffIds.length}`,
    );
  return {
    shownAs: image.name.includes("@") ? image.name : `${image.name}@${image.manifest.digest}`,
    manifest: image.manifest,
    version: (image.index ?? image.manifest).digest,
    config,
    platform: platformOf(config),
    layers: manifest.layers.map((blob, i) => ({
      diffId: diffIds[i] as ResolvedImage["layers"][number]["diffId"],
      blob,
    })),
    blobs: image.blobs,
    ...(image.origin === undefined ? {} : { origin: image.origin }),
  };
}

function platformOf(config: ResolvedImage["config"]): Platform {
  return {
    os: config.os,
    architecture: config.architecture,
    ...(config.variant === undefined ? {} : { variant: config.variant }),
  };
}
