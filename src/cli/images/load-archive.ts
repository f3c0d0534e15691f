import { blobName } from "../../oci/image-layout.ts";
import {
  type Descriptor,
  formatReference,
  layerCompression,
  MEDIA_TYPES,
  normalizePlatform,
  OciError,
  ociLayerType,
  parseReference,
  withDefaultTag,
} from "../../oci/index.ts";
import type { Store } from "../../store/index.ts";
import type { DockerImage, DockerLayer, FileSet, OciLayout } from "../../store/transports/index.ts";
import { pushInto } from "./open-target.ts";
import { type RecordedImage, recordRoot } from "./record-root.ts";
import type { Workbench } from "./workbench.ts";

/** An image of an archive that is in the store now, but has no name there yet. */
export interface LoadedImage {
  readonly image: RecordedImage;
  /** Full names. */
  readonly names: readonly string[];
}

interface LoadOptions {
  readonly bench: Workbench;
  readonly store: Store;
  /** The step that transfers are told of. */
  readonly vertex: string;
}

/**
 * Takes every image of an archive into the store. Where it has both an image layout and docker save's manifest.json, the
 * layout counts, because its digests are those of the registry; names come from both.
 * @throws {TransportError} NO_IMAGE, ARCHIVE_INVALID @throws {OciError} BLOB_CORRUPT, BLOB_NOT_FOUND
 */
export async function loadArchive(files: FileSet, options: LoadOptions): Promise<readonly LoadedImage[]> {
  const { OciLayout, readDockerImage, readDockerManifest, TransportError } = await import(
    "../../store/transports/index.ts"
  );
  const layout = await OciLayout.open(files);
  const entries = await readDockerManifest(files);
  if (layout !== undefined && layout.images.length > 0) {
    const namesByConfig = new Map<string, readonly string[]>();
    for (const { config, repoTags } of entries ?? []) namesByConfig.set(config, repoTags);
    const loaded: LoadedImage[] = [];
    for (const { descriptor, names } of layout.images) {
      const image = await loadRoot(layout, descriptor, { ...options, isDockerSave: entries !== undefined });
      if (image === undefined) continue;
      const more = namesByConfig.get(blobName(image.imageId)) ?? [];
      loaded.push({ image, names: fullNames([...names, ...more]) });
    }
    if (loaded.length > 0) return loaded;
  }
  if (entries === undefined || entries.length === 0) {
    const isOld = (await files.sizeOf("repositories")) !== undefined;
    throw new TransportError("NO_IMAGE", `Cannot load "${files.shown}": it holds no image`, {
      hint: isOld
        ? "Docker before 1.10 wrote it; load it there and save it again"
        : "An archive of docker save, podman save or skopeo has a manifest.json or an index.json",
    });
  }
  const loaded: LoadedImage[] = [];
  for (const entry of entries) {
    const found = await readDockerImage(files, entry);
    loaded.push({ image: await loadDockerImage(files, found, options), names: fullNames(found.repoTags) });
  }
  return loaded;
}

/** Undefined for what is no image: a signature, say, that lies beside one. */
async function loadRoot(
  layout: OciLayout,
  root: Descriptor,
  { store, bench, vertex, isDockerSave }: LoadOptions & { readonly isDockerSave: boolean },
): Promise<RecordedImage | undefined> {
  const { copyImage } = await import("../../registry/index.ts");
  const { CliError } = await import("../error.ts");
  const { descriptor } = await copyImage({
    from: layout,
    name: root.digest,
    to: { pushManifest: (bytes, { mediaType }) => store.blobs.putBytes(bytes, mediaType) },
    pushBlob: pushInto(store.blobs, { bench, vertex }),
    tags: [],
    signal: bench.context.signal,
  });
  try {
    const image = await recordRoot(store, descriptor, { shown: root.digest });
    return isDockerSave && (await isUncompressed(layout, image)) ? withoutManifest(image) : image;
  } catch (error) {
    if (error instanceof CliError) return undefined;
    throw error;
  }
}

/**
 * Docker keeps layers unpacked, and so makes up a manifest of uncompressed layers when it saves. No registry ever saw that
 * one: a push makes another, as for an image that was built here.
 */
async function isUncompressed(layout: OciLayout, { manifest, images }: RecordedImage): Promise<boolean> {
  if (manifest === undefined || images !== undefined) return false;
  const document = await layout.fetchManifest(manifest.digest);
  return (
    document.kind === "manifest" &&
    document.manifest.layers.some(({ mediaType }) => layerCompression(mediaType) === "none")
  );
}

function withoutManifest({ imageId, platform }: RecordedImage): RecordedImage {
  return { imageId, platform };
}

async function loadDockerImage(
  files: FileSet,
  image: DockerImage,
  options: LoadOptions,
): Promise<RecordedImage> {
  const { store } = options;
  for (const layer of image.layers) await loadLayer(files, layer, options);
  await store.blobs.putBytes(image.configBytes, MEDIA_TYPES.ociConfig);
  return { imageId: image.imageId, platform: normalizePlatform(image.config) };
}

/** A plain layer is a blob whose digest is the diffID; a compressed one has to be read to know its digest. */
async function loadLayer(
  files: FileSet,
  layer: DockerLayer,
  { store, bench, vertex }: LoadOptions,
): Promise<void> {
  const { wrongLayer } = await import("../../store/transports/index.ts");
  const { signal } = bench.context;
  const { name, diffId, size, compression } = layer;
  const known = await store.layers.info(diffId);
  if (known?.hasBlob === true || known?.hasTar === true) return;
  const digest = compression === "none" ? diffId : await digestOfFile(files, name, signal);
  const descriptor: Descriptor = { mediaType: ociLayerType(compression), digest, size };
  try {
    await pushInto(store.blobs, { bench, vertex })(
      descriptor,
      async ({ offset }) => files.open(name, { offset, signal }),
      signal,
    );
  } catch (error) {
    if (error instanceof OciError && error.code === "BLOB_CORRUPT" && compression === "none")
      throw wrongLayer(files.shown, layer);
    throw error;
  }
  await store.layers.noteBlob(diffId, descriptor);
}

async function digestOfFile(
  files: FileSet,
  name: string,
  signal: AbortSignal,
): Promise<Descriptor["digest"]> {
  const { createHasher } = await import("../../oci/index.ts");
  const hasher = createHasher();
  for await (const chunk of files.open(name, { signal })) hasher.update(chunk);
  return hasher.digest();
}

/** Whole names only: a tag alone, as skopeo writes it into a layout, names nothing here. */
function fullNames(names: readonly string[]): readonly string[] {
  const full = new Set<string>();
  for (const name of names) {
    if (!name.includes(":") && !name.includes("/")) continue;
    try {
      const { digest, ...reference } = parseReference(name);
      if (digest === undefined) full.add(formatReference(withDefaultTag(reference)));
    } catch {
      // An annotation may hold anything.
    }
  }
  return [...full];
}
