import {
  choosePlatform,
  type Descriptor,
  type Digest,
  digestOf,
  type ImageIndex,
  type ImageManifest,
  OciError,
  type Platform,
} from "../../oci/index.ts";
import { runParallel } from "../parallel.ts";
import type { FetchedDocument, FetchedIndex, FetchedManifest, ManifestSource } from "./types.ts";

const MAX_DEPTH = 4;
/** Documents of one image, index entries included; a bound against indexes made to keep us busy. */
const MAX_DOCUMENTS = 2000;
/** Small requests, so more of them at once than of blobs. */
const PARALLEL_DOCUMENTS = 8;

/** An image or index with everything below it but blobs. */
export interface DocumentTree {
  readonly root: FetchedDocument;
  readonly manifests: readonly FetchedManifest[];
  /** Indexes below the root, children before parents. */
  readonly indexes: readonly FetchedIndex[];
}

/** Fetches all documents of an image, or those for some platforms. */
export async function readTree(
  from: ManifestSource,
  name: string,
  {
    platforms,
    signal,
  }: { readonly platforms?: readonly Platform[] | undefined; readonly signal?: AbortSignal | undefined },
): Promise<DocumentTree> {
  const top = await from.fetchManifest(name, { signal });
  const root =
    platforms === undefined || top.kind === "manifest" ? top : await narrow(from, top, platforms, signal);
  const documents = new Map<Digest, FetchedDocument>([[root.descriptor.digest, root]]);
  let level: readonly FetchedDocument[] = [root];
  for (let depth = 1; level.length > 0; depth++) {
    const wanted = new Map(
      level
        .flatMap((document) => (document.kind === "index" ? document.index.manifests : []))
        .filter(({ digest }) => !documents.has(digest))
        .map((entry) => [entry.digest, entry]),
    );
    if (wanted.size > 0 && (depth > MAX_DEPTH || documents.size + wanted.size > MAX_DOCUMENTS)) {
      throw new OciError(
        "DOCUMENT_INVALID",
        `Cannot copy index "${root.descriptor.digest}": it is nested too deep or lists too much`,
      );
    }
    const found: FetchedDocument[] = [];
    const fetchOne = async ({ digest }: Descriptor, inner: AbortSignal): Promise<void> => {
      const document = await from.fetchManifest(digest, { signal: inner });
      documents.set(digest, document);
      found.push(document);
    };
    await runParallel([...wanted.values()], PARALLEL_DOCUMENTS, fetchOne, signal);
    level = found;
  }
  return inOrder(root, documents);
}

function inOrder(root: FetchedDocument, documents: ReadonlyMap<Digest, FetchedDocument>): DocumentTree {
  const manifests: FetchedManifest[] = [];
  const indexes: FetchedIndex[] = [];
  const seen = new Set<FetchedDocument>();
  const visit = (document: FetchedDocument): void => {
    if (seen.has(document)) return;
    seen.add(document);
    if (document.kind === "manifest") {
      manifests.push(document);
      return;
    }
    for (const { digest } of document.index.manifests) {
      const child = documents.get(digest);
      if (child !== undefined) visit(child);
    }
    if (document !== root) indexes.push(document);
  };
  visit(root);
  return { root, manifests, indexes };
}

/**
 * A tree with other documents in the place of some. Indexes above them are made anew, from the leaves up.
 * @param newOf the manifest to put in a manifest's place; the same one for none
 * @param remake what becomes of an index, given what its entries point at now; the same one for no change
 */
export function rebuildTree(
  { root, manifests, indexes }: DocumentTree,
  newOf: (manifest: FetchedManifest) => FetchedManifest,
  remake: (index: FetchedIndex, target: (entry: Descriptor) => FetchedDocument | undefined) => ImageIndex,
): DocumentTree {
  const replaced = new Map<Digest, FetchedDocument>();
  const documents = new Map<Digest, FetchedDocument>();
  const put = (before: FetchedDocument, after: FetchedDocument): void => {
    replaced.set(before.descriptor.digest, after);
    documents.set(after.descriptor.digest, after);
  };
  for (const manifest of manifests) put(manifest, newOf(manifest));
  for (const index of [...indexes, ...(root.kind === "index" ? [root] : [])]) {
    const made = remake(index, ({ digest }) => replaced.get(digest));
    put(index, made === index.index ? index : indexDocument(made, index.descriptor.mediaType));
  }
  return inOrder(replaced.get(root.descriptor.digest) ?? root, documents);
}

/** A manifest as a document of its own. @param mediaType what it is when it does not say so itself */
export function manifestDocument(manifest: ImageManifest, mediaType: string): FetchedManifest {
  const { bytes, descriptor } = encode(manifest, mediaType);
  return { kind: "manifest", descriptor, bytes, manifest };
}

function indexDocument(index: ImageIndex, mediaType: string): FetchedIndex {
  const { bytes, descriptor } = encode(index, mediaType);
  return { kind: "index", descriptor, bytes, index };
}

function encode(
  document: ImageManifest | ImageIndex,
  fallbackType: string,
): Pick<FetchedDocument, "bytes" | "descriptor"> {
  const bytes = Buffer.from(JSON.stringify(document));
  const { mediaType = fallbackType } = document;
  return { bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.byteLength } };
}

/** The part of an index that serves the given platforms best, attestations of those images included. */
async function narrow(
  from: ManifestSource,
  { index, descriptor }: FetchedIndex,
  platforms: readonly Platform[],
  signal: AbortSignal | undefined,
): Promise<FetchedDocument> {
  const chosen = platforms.map((wanted) => choosePlatform(index, wanted));
  const [only, second] = chosen;
  if (only !== undefined && second === undefined) return await from.fetchManifest(only.digest, { signal });
  const digests = new Set<string>(chosen.map(({ digest }) => digest));
  const manifests = index.manifests.filter(
    ({ digest, annotations }) =>
      digests.has(digest) || digests.has(annotations?.["vnd.docker.reference.digest"] ?? ""),
  );
  const smaller: ImageIndex = { ...index, mediaType: descriptor.mediaType, manifests };
  return indexDocument(smaller, descriptor.mediaType);
}
