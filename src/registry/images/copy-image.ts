import {
  type BlobOpener,
  type BlobSource,
  type Descriptor,
  type Digest,
  digestOf,
  formatPlatform,
  type ImageIndex,
  isSamePlatform,
  listPlatforms,
  OciError,
  type Platform,
} from "../../oci/index.ts";
import type { PushBlobResult } from "../blobs/push-types.ts";
import { runParallel } from "../parallel.ts";
import { distinctBlobs, PARALLEL_BLOBS } from "./pull-image.ts";
import type {
  FetchedDocument,
  FetchedIndex,
  FetchedManifest,
  ManifestSink,
  ManifestSource,
  PushedImage,
} from "./types.ts";

const MAX_DEPTH = 4;
/** Documents of one image, index entries included; a bound against indexes made to keep us busy. */
const MAX_DOCUMENTS = 2000;

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
  readonly signal?: AbortSignal | undefined;
}

/**
 * Copies an image or a whole index: every blob side by side, then manifests from the leaves up, the tags last. A
 * reader never sees a tag before all that it names is there. Bytes of documents are not changed.
 */
export async function copyImage(options: CopyImageOptions): Promise<PushedImage> {
  const { from, name, to, pushBlob, tags, platforms, signal } = options;
  const tree = await readTree(from, name, platforms, signal);
  const blobs = distinctBlobs(
    tree.manifests.flatMap(({ manifest }) => [manifest.config, ...manifest.layers.filter(isDistributable)]),
  );
  const counts = { uploaded: 0, mounted: 0, present: 0 };
  let uploadedBytes = 0;
  await runParallel(
    blobs,
    PARALLEL_BLOBS,
    async (descriptor, inner) => {
      const result = await pushBlob(descriptor, (at) => from.openBlob(descriptor, at), inner);
      counts[result.kind]++;
      if (result.kind === "uploaded") uploadedBytes += descriptor.size;
    },
    signal,
  );
  const children = tree.order.filter((document) => document !== tree.root);
  for (const { bytes, descriptor } of children) {
    await to.pushManifest(bytes, { mediaType: descriptor.mediaType, signal });
  }
  const { bytes, descriptor } = tree.root;
  for (const tag of tags.length === 0 ? [undefined] : tags) {
    await to.pushManifest(bytes, { mediaType: descriptor.mediaType, tag, signal });
  }
  return { descriptor, tags, blobs: counts, uploadedBytes };
}

interface Tree {
  readonly root: FetchedDocument;
  readonly manifests: readonly FetchedManifest[];
  /** Children before parents. */
  readonly order: readonly FetchedDocument[];
}

async function readTree(
  from: ManifestSource,
  name: string,
  platforms: readonly Platform[] | undefined,
  signal: AbortSignal | undefined,
): Promise<Tree> {
  const top = await from.fetchManifest(name, { signal });
  const root =
    platforms === undefined || top.kind === "manifest" ? top : await narrow(from, top, platforms, signal);
  const order: FetchedDocument[] = [];
  const seen = new Set<Digest>();
  const visit = async (document: FetchedDocument, depth: number): Promise<void> => {
    if (seen.has(document.descriptor.digest)) return;
    seen.add(document.descriptor.digest);
    if (depth > MAX_DEPTH || seen.size > MAX_DOCUMENTS) {
      throw new OciError(
        "DOCUMENT_INVALID",
        `Cannot copy index "${root.descriptor.digest}": it is nested too deep or lists too much`,
      );
    }
    if (document.kind === "index") {
      for (const entry of document.index.manifests) {
        if (!seen.has(entry.digest))
          await visit(await from.fetchManifest(entry.digest, { signal }), depth + 1);
      }
    }
    order.push(document);
  };
  await visit(root, 0);
  return { root, order, manifests: order.filter((document) => document.kind === "manifest") };
}

/** The part of an index that is for the given platforms, attestations of those images included. */
async function narrow(
  from: ManifestSource,
  { index, descriptor }: FetchedIndex,
  platforms: readonly Platform[],
  signal: AbortSignal | undefined,
): Promise<FetchedDocument> {
  const chosen = platforms.map((wanted) => {
    const found = index.manifests.find(
      ({ platform }) => platform !== undefined && isSamePlatform(platform, wanted),
    );
    if (found !== undefined) return found;
    throw new OciError(
      "NO_SUCH_PLATFORM",
      `Cannot find platform ${formatPlatform(wanted)} in index "${descriptor.digest}"`,
      {
        hint: `It has ${listPlatforms(index).map(formatPlatform).join(", ")}`,
      },
    );
  });
  const [only, second] = chosen;
  if (only !== undefined && second === undefined) return await from.fetchManifest(only.digest, { signal });
  const digests = new Set<string>(chosen.map(({ digest }) => digest));
  const manifests = index.manifests.filter(
    ({ digest, annotations }) =>
      digests.has(digest) || digests.has(annotations?.["vnd.docker.reference.digest"] ?? ""),
  );
  const smaller: ImageIndex = { ...index, mediaType: descriptor.mediaType, manifests };
  const bytes = Buffer.from(JSON.stringify(smaller));
  return {
    kind: "index",
    descriptor: { mediaType: descriptor.mediaType, digest: digestOf(bytes), size: bytes.byteLength },
    bytes,
    index: smaller,
  };
}

/** Layers that may not be passed on stay where their URLs say. */
function isDistributable({ mediaType, urls }: Descriptor): boolean {
  const isForeign = mediaType.includes(".nondistributable.") || mediaType.includes(".foreign.");
  return !(isForeign && urls !== undefined && urls.length > 0);
}
