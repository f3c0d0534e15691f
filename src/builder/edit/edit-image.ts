import {
  type Descriptor,
  type Digest,
  decodeImageConfig,
  digestOf,
  formatOf,
  type ImageConfig,
  type ImageManifest,
  layerTypeIn,
  type Platform,
} from "../../oci/index.ts";
import type { AnnotationSet } from "../export/annotations.ts";
import { type ConfigEdit, editConfig, HISTORY_COMMENT, lastCreated } from "./config-edit.ts";
import { patchConfig } from "./patch-config.ts";
import { type BaseImage, type ImageContent, rebaseImage, withEveryLayer } from "./rebase.ts";

/** A layer to be put on top. */
export interface AddedLayer {
  readonly diffId: Digest;
  readonly descriptor: Descriptor;
  /** What it is called in the history. */
  readonly name: string;
}

/** What to change of one image. In this order: its base, layers on top, its config, platform and time, its annotations. */
export interface ImageEdit {
  readonly rebase?: { readonly from: BaseImage; readonly to: NewBase } | undefined;
  readonly layers: readonly AddedLayer[];
  readonly config: readonly ConfigEdit[];
  readonly platform?: Platform | undefined;
  /** RFC 3339. */
  readonly created?: string | undefined;
  readonly annotations: Pick<AnnotationSet, "manifest">;
  readonly removedAnnotations: Pick<AnnotationSet, "manifest">;
}

/** A base with what the annotations of an image that has such say of its base. */
export interface NewBase extends BaseImage {
  readonly name: string | undefined;
  readonly digest: Digest;
}

/** The annotations that name an image's base. @see https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md */
export const BASE_NAME = "org.opencontainers.image.base.name";
export const BASE_DIGEST = "org.opencontainers.image.base.digest";

export interface EditedDocuments {
  readonly manifest: ImageManifest;
  readonly configBytes: Uint8Array;
  readonly config: ImageConfig;
}

/**
 * An image's documents after an edit. What an edit does not name stays byte by byte.
 * @param mediaType of the manifest: new layers get the types of its format
 * @returns the same manifest and bytes when nothing is different
 * @throws {BuildError} BASE_IMAGE, DOCKERFILE_INVALID @throws {OciError} DOCUMENT_INVALID, NOT_CONVERTIBLE
 */
export function editImage(
  manifest: ImageManifest,
  { configBytes, mediaType }: { readonly configBytes: Uint8Array; readonly mediaType: string },
  edit: ImageEdit,
): EditedDocuments {
  const before = decodeImageConfig(configBytes);
  const image: ImageContent = { config: before, layers: manifest.layers };
  const rebased = edit.rebase === undefined ? image : rebaseImage(image, edit.rebase);
  const created = edit.created === undefined ? {} : { created: edit.created };
  const withLayers = edit.layers.reduce((each, layer) => addLayer(each, layer, edit.created), rebased);
  const config = withPlatform(
    { ...editConfig(withLayers.config, edit.config, created), ...created },
    edit.platform,
  );
  const newBytes = patchConfig(configBytes, before, config);
  const isBased = edit.rebase !== undefined && rebased !== image;
  const annotations = editAnnotations(manifest.annotations, edit, isBased ? edit.rebase.to : undefined);
  if (newBytes === configBytes && annotations === manifest.annotations)
    return { manifest, configBytes, config: before };
  const { data: _data, ...descriptor } = manifest.config;
  const { annotations: _old, ...rest } = manifest;
  const format = formatOf(mediaType);
  return {
    configBytes: newBytes,
    config,
    manifest: {
      ...rest,
      config:
        newBytes === configBytes
          ? manifest.config
          : { ...descriptor, digest: digestOf(newBytes), size: newBytes.byteLength },
      layers: withLayers.layers.map((layer) =>
        manifest.layers.includes(layer) ? layer : asPlainLayer(layer, layerTypeIn(format, layer.mediaType)),
      ),
      ...(annotations === undefined ? {} : { annotations }),
    },
  };
}

/** Annotations after an edit; the same ones when nothing is different, undefined when none are left. */
export function changeAnnotations(
  before: Readonly<Record<string, string>> | undefined,
  set: Readonly<Record<string, string>>,
  removed: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> | undefined {
  const kept = Object.entries(before ?? {}).filter(([name]) => !Object.hasOwn(removed, name));
  const after = { ...Object.fromEntries(kept), ...set };
  if (JSON.stringify(after) === JSON.stringify(before ?? {})) return before;
  return Object.keys(after).length === 0 ? undefined : after;
}

function editAnnotations(
  before: Readonly<Record<string, string>> | undefined,
  { annotations, removedAnnotations }: ImageEdit,
  base: NewBase | undefined,
): Readonly<Record<string, string>> | undefined {
  // An image that says what its base is must go on saying the truth; one that does not is not made to.
  const told: Record<string, string> = {};
  if (base !== undefined && before?.[BASE_DIGEST] !== undefined) told[BASE_DIGEST] = base.digest;
  if (base?.name !== undefined && before?.[BASE_NAME] !== undefined) told[BASE_NAME] = base.name;
  return changeAnnotations(before, { ...told, ...annotations.manifest }, removedAnnotations.manifest);
}

function addLayer(
  { config, layers }: ImageContent,
  { diffId, descriptor, name }: AddedLayer,
  created: string | undefined,
): ImageContent {
  const diffIds = config.rootfs.diff_ids;
  const time = created ?? lastCreated(config);
  const entry = {
    ...(time === undefined ? {} : { created: time }),
    created_by: `strake edit --append ${name}`,
    comment: HISTORY_COMMENT,
  };
  return {
    layers: [...layers, descriptor],
    config: {
      ...config,
      rootfs: { type: "layers", diff_ids: [...diffIds, diffId] },
      history: [...withEveryLayer(config.history, diffIds.length), entry],
    },
  };
}

function withPlatform(config: ImageConfig, platform: Platform | undefined): ImageConfig {
  if (platform === undefined) return config;
  const { variant: _variant, "os.version": _version, "os.features": _features, ...rest } = config;
  return { ...rest, ...platform };
}

/** What another image's annotations say of a layer is that image's. */
function asPlainLayer({ digest, size, urls }: Descriptor, mediaType: string): Descriptor {
  return { mediaType, digest, size, ...(urls === undefined ? {} : { urls }) };
}
