import {
  artifactTypeOf,
  type BlobSource,
  choosePlatform,
  type Descriptor,
  decodeImageConfig,
  type FetchedDocument,
  formatFamiliarName,
  formatFamiliarReference,
  hostPlatform,
  isAttestation,
  isImageConfigType,
  MAX_CONFIG_BYTES,
  type ManifestSource,
  normalizePlatform,
  OciError,
  type Platform,
  parsePlatform,
  parseReference,
  verifyBlob,
} from "../../oci/index.ts";
import { idOf } from "../../store/images/index.ts";
import type { ImageDescription, ImageLayer, PlatformImage } from "../../store/index.ts";
import { asUsage } from "../args/as-usage.ts";
import { suggestingTags } from "../registry/suggest-tag.ts";
import { findImage, imageOfPlatform, namesOf } from "./find-images.ts";
import { familiarName, hasName } from "./names.ts";
import { openSource } from "./open-source.ts";
import { type ImagePlace, parsePlace } from "./place.ts";
import type { Workbench } from "./workbench.ts";

/** An image as it is shown, wherever it is. */
export interface ShownImage {
  /** One platform's image. */
  readonly description: ImageDescription;
  readonly tags: readonly string[];
  /** `name@digest` */
  readonly digests: readonly string[];
  /** The index that the name stands for, where it does. */
  readonly index: Descriptor | undefined;
  readonly indexBytes: Uint8Array | undefined;
  readonly platforms: readonly Partial<PlatformImage>[] | undefined;
}

/**
 * Finds what a person names: in the store, or in a registry, layout or archive when it is written so.
 * @param platform as on the command line; this machine's when absent
 */
export async function viewImage(
  text: string,
  bench: Workbench,
  platform: string | undefined,
): Promise<ShownImage> {
  const place = parsePlace(text, { cwd: bench.context.cwd, plain: "store" });
  if (place.kind === "store") return await viewStored(place.name, bench, platform);
  if (place.kind === "docker-archive") return await viewDockerArchive(place, bench);
  const wanted = platform === undefined ? undefined : asUsage(() => parsePlatform(platform));
  const { signal } = bench.context;
  await using source = await openSource(place, bench);
  const fetchRoot = (): Promise<FetchedDocument> => source.from.fetchManifest(source.name, { signal });
  const root =
    place.kind === "registry"
      ? await suggestingTags(await bench.client(), place.reference, fetchRoot, signal)
      : await fetchRoot();
  const description = await describe(source.from, root, { text, wanted, signal });
  const name = source.fullName === undefined ? undefined : parseReference(source.fullName);
  const digest = root.descriptor.digest;
  return {
    description,
    tags: name?.tag === undefined ? [] : [formatFamiliarReference({ ...name, tag: name.tag })],
    digests: name === undefined ? [] : [`${formatFamiliarName(name)}@${digest}`],
    index: root.kind === "index" ? root.descriptor : undefined,
    indexBytes: root.kind === "index" ? root.bytes : undefined,
    platforms:
      root.kind === "index"
        ? root.index.manifests
            .filter((entry) => !isAttestation(entry))
            .map((entry) => ({
              manifest: entry,
              ...(entry.platform === undefined ? {} : { platform: entry.platform }),
            }))
        : undefined,
  };
}

async function viewStored(name: string, bench: Workbench, platform: string | undefined): Promise<ShownImage> {
  const store = await bench.store();
  const found = await findImage(store.images, name);
  const description = await store.images.describe(imageOfPlatform(found, platform));
  const named = (await namesOf(store.images, found)).filter(hasName);
  const digests = named.flatMap(({ reference, manifest, index }) => {
    const own = formatFamiliarName(parseReference(reference));
    return [manifest, index].flatMap((descriptor) =>
      descriptor === undefined ? [] : [`${own}@${descriptor.digest}`],
    );
  });
  return {
    description,
    tags: named.map(familiarName),
    digests: [...new Set(digests)],
    index: found.images === undefined ? undefined : found.index,
    indexBytes: found.images === undefined ? undefined : await store.blobs.readBlob(idOf(found)),
    platforms: found.images,
  };
}

/** Without compressing anything: such an archive has no manifest, and its layers are as they were unpacked. */
async function viewDockerArchive(
  { path, shown, name, text }: Extract<ImagePlace, { readonly path: string }>,
  bench: Workbench,
): Promise<ShownImage> {
  const transports = await import("../../store/transports/index.ts");
  const { signal } = bench.context;
  await using archive = await transports.openArchive(path, {
    shown,
    tempFolder: await bench.tempFolder(),
    signal,
  });
  const image = await transports.openDockerImage(archive, name);
  const { config, configBytes, imageId, repoTags } = image;
  const layers = image.layers.map(({ diffId, size, compression }): ImageLayer => {
    const form = compression === "none" ? { tarSize: size } : {};
    return { diffId, info: { diffId, ...form, hasSnapshot: false, hasTar: false, hasBlob: false } };
  });
  const platform = normalizePlatform(config);
  return {
    description: {
      record: { reference: text, imageId, platform, createdAt: "" },
      config,
      configBytes,
      layers,
      unpackedSize: layers.reduce((sum, { info }) => sum + (info?.tarSize ?? 0), 0),
    },
    tags: repoTags,
    digests: [],
    index: undefined,
    indexBytes: undefined,
    platforms: undefined,
  };
}

async function describe(
  from: ManifestSource & BlobSource,
  root: FetchedDocument,
  {
    text,
    wanted,
    signal,
  }: { readonly text: string; readonly wanted: Platform | undefined; readonly signal: AbortSignal },
): Promise<ImageDescription> {
  let document = root;
  for (let depth = 0; document.kind === "index" && depth < 4; depth++) {
    const entry = choosePlatform(document.index, wanted ?? hostPlatform());
    document = await from.fetchManifest(entry.digest, { signal });
  }
  if (document.kind === "index") {
    throw new OciError("DOCUMENT_INVALID", `Cannot show "${text}": its indexes are nested too deep`);
  }
  const { manifest, bytes, descriptor } = document;
  if (!isImageConfigType(manifest.config.mediaType)) {
    const type = artifactTypeOf(manifest);
    throw new OciError(
      "DOCUMENT_INVALID",
      `Cannot show "${text}": it is no image but an artifact of type "${type}"`,
      { hint: "strake registry manifest shows its manifest, strake artifact pull makes files of it" },
    );
  }
  const configBytes = await readSmallBlob(from, manifest.config, signal);
  const config = decodeImageConfig(configBytes);
  return {
    record: {
      reference: text,
      imageId: manifest.config.digest,
      manifest: descriptor,
      platform: normalizePlatform(config),
      createdAt: "",
    },
    config,
    configBytes,
    manifest,
    manifestBytes: bytes,
    layers: config.rootfs.diff_ids.map((diffId, i): ImageLayer => {
      const blob = manifest.layers[i];
      return blob === undefined ? { diffId } : { diffId, blob };
    }),
    unpackedSize: 0,
    compressedSize: manifest.layers.reduce((sum, { size }) => sum + size, manifest.config.size),
  };
}

/** A config whole, verified. @throws {OciError} DOCUMENT_INVALID past 8 MiB; BLOB_CORRUPT */
export async function readSmallBlob(
  from: BlobSource,
  descriptor: Descriptor,
  signal: AbortSignal,
): Promise<Uint8Array> {
  if (descriptor.size > MAX_CONFIG_BYTES) {
    throw new OciError("DOCUMENT_INVALID", `Cannot read config "${descriptor.digest}": it is too large`);
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of verifyBlob(await from.openBlob(descriptor, { signal }), descriptor))
    chunks.push(chunk);
  return Buffer.concat(chunks);
}
