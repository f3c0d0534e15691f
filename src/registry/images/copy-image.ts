import type {
  BlobOpener,
  BlobSource,
  Descriptor,
  Digest,
  FetchedManifest,
  ImageFormat,
  LostInFormat,
  Platform,
} from "../../oci/index.ts";
import type { PushBlobResult } from "../blobs/push-types.ts";
import { RegistryError } from "../error.ts";
import { runParallel } from "../parallel.ts";
import { convertTree } from "./convert-tree.ts";
import { type DocumentTree, readTree } from "./document-tree.ts";
import { distinctBlobs, PARALLEL_BLOBS } from "./pull-image.ts";
import { isRefusedType } from "./refused-type.ts";
import type { ManifestSink, ManifestSource, PushedImage } from "./types.ts";

/** Referrers of one image, and referrers of these; bounds against registries made to keep us busy. */
const MAX_REFERRER_DEPTH = 4;
const MAX_REFERRERS = 1000;

export interface CopyImageOptions {
  readonly from: ManifestSource & BlobSource;
  /** What to copy: a tag or digest of `from`. */
  readonly name: string;
  readonly to: ManifestSink;
  /** Makes the target have a blob. */
  readonly pushBlob: (
    descriptor: Descriptor,
    open: BlobOpener,
    signal: AbortSignal,
  ) => Promise<PushBlobResult>;
  /** Tags to put the result under; none leaves it under its digest. */
  readonly tags: readonly string[];
  /** Only these of an index: one becomes the image itself, several a smaller index (with another digest). */
  readonly platforms?: readonly Platform[] | undefined;
  /**
   * Copies what refers to the image too, and what refers to that: gives the referrers of a manifest. A repository's
   * `listReferrers` fits.
   */
  readonly referrersOf?: ((subject: Digest) => Promise<readonly Descriptor[]>) | undefined;
  /** Gives the documents these media types, and so other digests; as they are when absent. */
  readonly format?: ImageFormat | undefined;
  /**
   * Gives the documents Docker's media types where the target refuses those of OCI, with which they would keep their
   * digests. Not done with `format`, nor with `referrersOf`.
   */
  readonly mayFallBack?: boolean | undefined;
  /** Told when documents got other media types and digests, before they are written; throws to prevent it. */
  readonly onConverted?: ((conversion: Conversion) => void) | undefined;
  /** Told what is about to be copied, before anything is; throws to prevent it. */
  readonly onRoot?: ((root: Descriptor) => void) | undefined;
  /** Told when the target misses blobs that it was taken to have; they are pushed once more. */
  readonly forgetBlobs?: ((blobs: readonly Descriptor[]) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** That documents were converted to another format. */
export interface Conversion {
  readonly format: ImageFormat;
  /** What has no place there. */
  readonly lost: readonly LostInFormat[];
  /** What the target said to the documents as they were; undefined when the format was asked for. */
  readonly refusal: RegistryError | undefined;
}

/**
 * Copies an image or a whole index: every blob side by side, then manifests from the leaves up, the tags last. A
 * reader never sees a tag before all that it names is there. Bytes of documents are not changed, unless the options say so.
 * @throws {OciError} NO_SUCH_PLATFORM, DOCUMENT_INVALID, NOT_CONVERTIBLE, BLOB_NOT_FOUND, … and whatever the two sides throw
 */
export async function copyImage(options: CopyImageOptions): Promise<PushedImage> {
  const { from, name, tags, signal } = options;
  const counts = { uploaded: 0, mounted: 0, present: 0 };
  let uploadedBytes = 0;
  const onBlob: OnBlob = (kind, { size }) => {
    counts[kind]++;
    if (kind === "uploaded") uploadedBytes += size;
  };
  const read = await readTree(from, name, options);
  if (options.format === undefined) options.onRoot?.(read.root.descriptor);
  const wanted = options.format === undefined ? read : convert(read, options.format, options);
  const tree = await copyTree(wanted, options, tags, onBlob);
  let referrers = 0;
  for await (const digest of findReferrers(tree, options)) {
    if (++referrers > MAX_REFERRERS) break;
    const { platforms: _all, format: _theirs, ...rest } = options;
    await copyTree(await readTree(from, digest, { signal }), rest, [], onBlob);
  }
  const { root } = tree;
  return { descriptor: root.descriptor, document: root, tags, blobs: counts, uploadedBytes };
}

type OnBlob = (kind: PushBlobResult["kind"], blob: Descriptor) => void;

/** @returns the documents that were written */
async function copyTree(
  tree: DocumentTree,
  options: CopyImageOptions,
  tags: readonly string[],
  onBlob: OnBlob,
): Promise<DocumentTree> {
  const blobs = distinctBlobs(
    tree.manifests.flatMap(({ manifest }) => [manifest.config, ...manifest.layers.filter(isDistributable)]),
  );
  const fresh = new Set<Digest>();
  await copyBlobs(blobs, options, (kind, blob) => {
    if (kind !== "present") fresh.add(blob.digest);
    onBlob(kind, blob);
  });
  try {
    return await copyAcceptably(tree, options, { tags, fresh });
  } catch (error) {
    if (!isMissingBlob(error) || options.forgetBlobs === undefined) throw error;
    options.forgetBlobs(blobs);
    await copyBlobs(blobs, options, (kind, blob) => (kind === "uploaded" ? onBlob(kind, blob) : undefined));
    return await copyAcceptably(tree, options, { tags, fresh });
  }
}

interface Documents {
  readonly tags: readonly string[];
  /** Blobs that the target had not. */
  readonly fresh: ReadonlySet<Digest>;
}

/** Writes the documents; with Docker's media types where the target takes no others and it is wanted. */
async function copyAcceptably(
  tree: DocumentTree,
  options: CopyImageOptions,
  documents: Documents,
): Promise<DocumentTree> {
  try {
    await copyDocuments(tree, options, documents);
    return tree;
  } catch (error) {
    const mayFallBack =
      options.mayFallBack === true && options.format === undefined && options.referrersOf === undefined;
    if (!mayFallBack || !isRefusedType(error)) throw error;
    const converted = convert(tree, "docker", options, error);
    try {
      await copyDocuments(converted, options, documents);
    } catch (again) {
      // The media types were not what is wrong.
      throw isRefusedType(again) ? error : again;
    }
    return converted;
  }
}

function convert(
  tree: DocumentTree,
  format: ImageFormat,
  { onConverted, onRoot }: CopyImageOptions,
  refusal?: RegistryError,
): DocumentTree {
  const converted = convertTree(tree, format);
  const isSame = converted.tree.root.descriptor.digest === tree.root.descriptor.digest;
  // What refused it refuses it still.
  if (isSame && refusal !== undefined) throw refusal;
  onRoot?.(converted.tree.root.descriptor);
  if (!isSame) onConverted?.({ format, lost: converted.lost, refusal });
  return converted.tree;
}

async function copyBlobs(
  blobs: readonly Descriptor[],
  { from, pushBlob, signal }: CopyImageOptions,
  onBlob: OnBlob,
): Promise<void> {
  // What takes longest goes first, so that nothing large is left alone at the end.
  const order = blobs.toSorted((a, b) => b.size - a.size);
  await runParallel(
    order,
    PARALLEL_BLOBS,
    async (descriptor, inner) => {
      const result = await pushBlob(descriptor, (at) => from.openBlob(descriptor, at), inner);
      onBlob(result.kind, descriptor);
    },
    signal,
  );
}

async function copyDocuments(
  { root, manifests, indexes }: DocumentTree,
  { to, signal }: CopyImageOptions,
  { tags, fresh }: Documents,
): Promise<void> {
  const hasFresh = ({ manifest }: FetchedManifest): boolean =>
    [manifest.config, ...manifest.layers].some(({ digest }) => fresh.has(digest));
  await runParallel(
    manifests.filter((manifest) => manifest !== root),
    PARALLEL_BLOBS,
    async (document, inner) => {
      const { mediaType, digest } = document.descriptor;
      const isNew = hasFresh(document);
      await to.pushManifest(document.bytes, { mediaType, digest, isNew, signal: inner });
    },
    signal,
  );
  // One that lists the images with these blobs, somewhere below.
  const isNew = fresh.size > 0;
  for (const { bytes, descriptor } of indexes) {
    const { mediaType, digest } = descriptor;
    await to.pushManifest(bytes, { mediaType, digest, isNew, signal });
  }
  const { bytes, descriptor } = root;
  const { mediaType, digest } = descriptor;
  for (const tag of tags.length === 0 ? [undefined] : tags) {
    await to.pushManifest(bytes, { mediaType, digest, tag, isNew, signal });
  }
}

/** Some registries need a moment until a blob that they have taken can be named. */
function isMissingBlob(error: unknown): boolean {
  if (!(error instanceof RegistryError)) return false;
  return error.errors.some(({ code }) => code === "MANIFEST_BLOB_UNKNOWN" || code === "BLOB_UNKNOWN");
}

/** Breadth first: what refers to the image, then what refers to that. Each digest once. */
async function* findReferrers(
  { root, manifests, indexes }: DocumentTree,
  { referrersOf }: CopyImageOptions,
): AsyncGenerator<Digest, void, undefined> {
  if (referrersOf === undefined) return;
  let subjects = [root, ...manifests, ...indexes].map(({ descriptor }) => descriptor.digest);
  const seen = new Set(subjects);
  for (let depth = 0; depth < MAX_REFERRER_DEPTH && subjects.length > 0; depth++) {
    const found: Digest[] = [];
    for (const subject of new Set(subjects)) {
      for (const { digest } of await referrersOf(subject)) {
        if (seen.has(digest)) continue;
        seen.add(digest);
        found.push(digest);
        yield digest;
      }
    }
    subjects = found;
  }
}

/** Layers that may not be passed on stay where their URLs say. */
function isDistributable({ mediaType, urls }: Descriptor): boolean {
  const isForeign = mediaType.includes(".nondistributable.") || mediaType.includes(".foreign.");
  return !(isForeign && urls !== undefined && urls.length > 0);
}
