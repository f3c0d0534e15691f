import {
  type BlobSource,
  type Descriptor,
  type Digest,
  decodeImageConfig,
  type FetchedDocument,
  type FetchedManifest,
  formatOf,
  formatPlatform,
  type ImageIndex,
  isAttestation,
  isImageManifest,
  isSamePlatform,
  normalizePlatform,
  OciError,
  type Platform,
  pointAt,
  withoutStale,
} from "../../oci/index.ts";
import { type DocumentTree, manifestDocument, rebuildTree, runParallel } from "../../registry/index.ts";
import { BuildError } from "../error.ts";
import { type AnnotationSet, checkAnnotatedPlatforms, splitAnnotations } from "../export/annotations.ts";
import type { ConfigEdit } from "./config-edit.ts";
import { type AddedLayer, changeAnnotations, editImage, type NewBase } from "./edit-image.ts";
import { readConfig } from "./read-image.ts";
import type { BaseImage } from "./rebase.ts";

/** Small requests. */
const PARALLEL_CONFIGS = 8;

/** An annotation, its key with a place in front as `build --annotation` has it. */
type Annotation = { readonly key: string; readonly value: string };

/** What to change of an image, or of each image of an index. */
export interface TreeEdit {
  readonly config: readonly ConfigEdit[];
  readonly layers: readonly AddedLayer[];
  readonly annotations: readonly Annotation[];
  /** Their values say nothing. */
  readonly removedAnnotations: readonly Annotation[];
  readonly created: string | undefined;
  /** What the image is to be for; it must be a single one. */
  readonly platform: Platform | undefined;
  /** Only these images of an index; all when absent. */
  readonly platforms: readonly Platform[] | undefined;
  /** The bases that an image is taken from and put onto. */
  readonly rebase:
    | ((
        platform: Platform,
        image: FetchedManifest,
      ) => Promise<{ readonly from: BaseImage; readonly to: NewBase }>)
    | undefined;
}

/** One image before and after. */
export interface ImageChange {
  readonly platform: Platform;
  readonly before: FetchedManifest;
  readonly after: FetchedManifest;
  readonly configBefore: Uint8Array;
  readonly configAfter: Uint8Array;
}

export interface EditedTree {
  readonly tree: DocumentTree;
  /** The images that the edit was for, also those that it changed nothing of. */
  readonly changes: readonly ImageChange[];
  /** Attestations that spoke of manifests that are no more. */
  readonly droppedAttestations: number;
}

/**
 * Edits an image or the images of an index. Nothing but configs is read. What is no image (an attestation, an artifact)
 * stays as it is.
 * @throws {BuildError} BASE_IMAGE, DOCKERFILE_INVALID, OUTPUT_FAILED, UNSUPPORTED
 * @throws {OciError} NO_SUCH_PLATFORM, DOCUMENT_INVALID, NOT_CONVERTIBLE
 */
export async function editTree(
  tree: DocumentTree,
  source: BlobSource,
  edit: TreeEdit,
  { signal }: { readonly signal: AbortSignal },
): Promise<EditedTree> {
  const images = await findImages(tree, source, edit, signal);
  const changes: ImageChange[] = [];
  for (const { document, configBytes, platform } of images) {
    signal.throwIfAborted();
    const [annotations, removedAnnotations] = [edit.annotations, edit.removedAnnotations].map((list) =>
      splitAnnotations(list, platform),
    ) as [AnnotationSet, AnnotationSet];
    const { mediaType } = document.descriptor;
    checkFormat(document, annotations.manifest);
    const after = editImage(
      document.manifest,
      { configBytes, mediaType },
      { ...edit, annotations, removedAnnotations, rebase: await edit.rebase?.(platform, document) },
    );
    changes.push({
      platform,
      before: document,
      after: after.manifest === document.manifest ? document : manifestDocument(after.manifest, mediaType),
      configBefore: configBytes,
      configAfter: after.configBytes,
    });
  }
  const byDigest = new Map(changes.map((change) => [change.before.descriptor.digest, change]));
  let droppedAttestations = 0;
  const made = rebuildTree(
    tree,
    (document) => byDigest.get(document.descriptor.digest)?.after ?? document,
    (document, target) => {
      const index = editIndex(document.index, { target, byDigest, edit });
      checkFormat(document, splitAnnotations(edit.annotations).index);
      droppedAttestations += document.index.manifests.length - index.manifests.length;
      return index;
    },
  );
  return { tree: made, changes, droppedAttestations };
}

interface FoundImage {
  readonly document: FetchedManifest;
  readonly configBytes: Uint8Array;
  readonly platform: Platform;
}

/** The images that the edit is for. */
async function findImages(
  { root, manifests }: DocumentTree,
  source: BlobSource,
  edit: TreeEdit,
  signal: AbortSignal,
): Promise<readonly FoundImage[]> {
  const images = manifests.filter(({ manifest }) => isImageManifest(manifest));
  const configs = new Map<FetchedManifest, Uint8Array>();
  await runParallel(
    images,
    PARALLEL_CONFIGS,
    async (document, inner) => {
      configs.set(document, await readConfig(source, document.manifest.config, inner));
    },
    signal,
  );
  const found = images.flatMap((document): FoundImage[] => {
    const configBytes = configs.get(document);
    if (configBytes === undefined) return [];
    return [{ document, configBytes, platform: normalizePlatform(decodeImageConfig(configBytes)) }];
  });
  if (found.length === 0)
    throw new BuildError("UNSUPPORTED", `Cannot edit "${root.descriptor.digest}": it is no image`);
  const all = found.map(({ platform }) => platform);
  checkAnnotatedPlatforms([...edit.annotations, ...edit.removedAnnotations], all);
  checkPlaces(edit, root);
  for (const wanted of edit.platforms ?? []) {
    if (all.some((platform) => isFor(platform, wanted))) continue;
    throw new OciError("NO_SUCH_PLATFORM", `Cannot find platform ${formatPlatform(wanted)} in the image`, {
      hint: `The image is there for ${all.map(formatPlatform).join(", ")}`,
    });
  }
  const { platforms } = edit;
  const wanted =
    platforms === undefined
      ? found
      : found.filter(({ platform }) => platforms.some((each) => isFor(platform, each)));
  if (edit.platform !== undefined && wanted.length > 1)
    throw new BuildError(
      "UNSUPPORTED",
      `Cannot set the platform of ${wanted.length} images to ${formatPlatform(edit.platform)}`,
      { hint: "Choose one of them with --platform" },
    );
  return wanted;
}

function isFor(offered: Platform, wanted: Platform): boolean {
  const { "os.version": _version, "os.features": _features, ...has } = offered;
  const { "os.version": _wantedVersion, "os.features": _wantedFeatures, ...want } = wanted;
  return isSamePlatform(has, want);
}

function editIndex(
  index: ImageIndex,
  {
    target,
    byDigest,
    edit,
  }: {
    readonly target: (entry: Descriptor) => FetchedDocument | undefined;
    readonly byDigest: ReadonlyMap<Digest, ImageChange>;
    readonly edit: TreeEdit;
  },
): ImageIndex {
  const newOf = (entry: Descriptor): Descriptor => target(entry)?.descriptor ?? entry;
  const kept = withoutStale(index.manifests, newOf);
  const manifests = kept.map((entry) => {
    const change = isAttestation(entry) ? undefined : byDigest.get(entry.digest);
    const pointed = pointAt(entry, newOf(entry));
    return change === undefined ? pointed : editEntry(pointed, change, edit);
  });
  const annotations = changeAnnotations(
    index.annotations,
    splitAnnotations(edit.annotations).index,
    splitAnnotations(edit.removedAnnotations).index,
  );
  const isSame =
    manifests.length === index.manifests.length &&
    manifests.every((entry, i) => entry === index.manifests[i]) &&
    annotations === index.annotations;
  if (isSame) return index;
  const { annotations: _old, ...rest } = index;
  return { ...rest, manifests, ...(annotations === undefined ? {} : { annotations }) };
}

/** What an index says of an image beside its digest. */
function editEntry(entry: Descriptor, change: ImageChange, edit: TreeEdit): Descriptor {
  const annotations = changeAnnotations(
    entry.annotations,
    splitAnnotations(edit.annotations, change.platform).manifestDescriptor,
    splitAnnotations(edit.removedAnnotations, change.platform).manifestDescriptor,
  );
  const after = normalizePlatform(decodeImageConfig(change.configAfter));
  const platform =
    isSamePlatform(after, change.platform) || entry.platform === undefined ? entry.platform : after;
  if (annotations === entry.annotations && platform === entry.platform) return entry;
  const { annotations: _old, ...rest } = entry;
  return {
    ...rest,
    ...(platform === undefined ? {} : { platform }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

function checkFormat({ descriptor }: FetchedDocument, annotations: Readonly<Record<string, string>>): void {
  if (formatOf(descriptor.mediaType) === "oci" || Object.keys(annotations).length === 0) return;
  throw new BuildError(
    "UNSUPPORTED",
    `Cannot annotate "${descriptor.digest}": Docker's media types have no place for annotations`,
    { hint: "Give the image those of OCI: --format oci" },
  );
}

/** An annotation that there is no place for would be lost. */
function checkPlaces({ annotations, removedAnnotations }: TreeEdit, root: FetchedDocument): void {
  for (const { key } of [...annotations, ...removedAnnotations]) {
    const place = /^([a-z-]+)[^:]*:/.exec(key)?.[1] ?? "manifest";
    if (place === "manifest" || (root.kind === "index" && place !== "index-descriptor")) continue;
    const reason = place === "index-descriptor" ? "only a build writes there" : "the image is in no index";
    throw new BuildError("UNSUPPORTED", `Cannot use annotation "${key}": ${reason}`);
  }
}
