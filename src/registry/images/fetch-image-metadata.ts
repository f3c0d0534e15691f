import {
  artifactTypeOf,
  choosePlatform,
  type Descriptor,
  decodeImageConfig,
  formatReference,
  hostPlatform,
  isImageConfigType,
  isIndexType,
  MAX_CONFIG_BYTES,
  normalizePlatform,
  OciError,
  type Platform,
  type Reference,
  withDefaultTag,
} from "../../oci/index.ts";
import type { RegistryClient } from "../client.ts";
import type { Repository } from "../repository.ts";
import { fetchDocument, fetchSmallBlob } from "./fetch-document.ts";
import type {
  FetchedDocument,
  FetchedIndex,
  FetchedManifest,
  FetchMetadataOptions,
  ImageMetadata,
} from "./types.ts";

/** Indexes inside indexes: nobody nests deeper for a reason. */
const MAX_INDEX_DEPTH = 4;

/**
 * Fetches the documents of one platform's image: index, manifest and config, but no layer.
 * @throws {RegistryError} MANIFEST_NOT_FOUND, …
 * @throws {OciError} NO_SUCH_PLATFORM; DOCUMENT_INVALID, also for what is no image
 */
export async function fetchImageMetadata(
  client: RegistryClient,
  name: Reference,
  options: FetchMetadataOptions = {},
): Promise<ImageMetadata> {
  const reference = withDefaultTag(name);
  const repository = client.repository(reference);
  const wanted = options.platform ?? hostPlatform();
  const root = await fetchRoot(repository, reference, options);
  const manifest = await chooseManifest(repository, root, wanted, options);
  const config = manifest.manifest.config;
  if (!isImageConfigType(config.mediaType)) {
    const type = artifactTypeOf(manifest.manifest);
    throw new OciError(
      "DOCUMENT_INVALID",
      `Cannot use "${formatReference(reference)}": it is no image but an artifact of type "${type}"`,
      { hint: "strake artifact pull makes files of it, strake copy puts it into a folder: oci:DIR" },
    );
  }
  const bytes = await fetchSmallBlob(repository, config, {
    ...options,
    maxBytes: MAX_CONFIG_BYTES,
    onCorrupt: () => repository.distrustMirrors(config.digest),
  });
  const decoded = decodeImageConfig(bytes);
  return {
    reference,
    root: root.descriptor,
    ...(root.kind === "index" ? { index: root } : {}),
    manifest,
    config: { descriptor: config, bytes, config: decoded },
    platform: normalizePlatform(decoded),
  };
}

async function fetchRoot(
  repository: Repository,
  { tag, digest }: Reference,
  options: FetchMetadataOptions,
): Promise<FetchedDocument> {
  const { readKnown, signal } = options;
  if (digest !== undefined) {
    const known = await readKnown?.({ mediaType: "", digest, size: 0 });
    if (known === undefined) return await repository.fetchManifest(digest, { signal });
    return await fetchDocument(
      repository,
      { mediaType: "", digest, size: known.byteLength },
      { readKnown, signal },
    );
  }
  const name = tag ?? "latest";
  if (readKnown === undefined) return await repository.fetchManifest(name, { signal });
  const { descriptor, document } = await repository.resolve(name, { signal });
  return document ?? (await fetchDocument(repository, descriptor, { readKnown, signal }));
}

async function chooseManifest(
  repository: Repository,
  root: FetchedDocument,
  wanted: Platform,
  options: FetchMetadataOptions,
): Promise<FetchedManifest> {
  let document = root;
  for (let depth = 0; document.kind === "index"; depth++) {
    if (depth >= MAX_INDEX_DEPTH) {
      throw new OciError(
        "DOCUMENT_INVALID",
        `Cannot read index "${root.descriptor.digest}": its indexes are nested deeper than ${MAX_INDEX_DEPTH}`,
      );
    }
    document = await fetchDocument(repository, chooseEntry(document, wanted), options);
  }
  return document;
}

/** The entry for the platform; failing that, one of no platform that is an index itself and may have it. */
function chooseEntry({ index }: FetchedIndex, wanted: Platform): Descriptor {
  try {
    return choosePlatform(index, wanted);
  } catch (error) {
    const nested = index.manifests.find(
      ({ mediaType, platform }) => platform === undefined && isIndexType(mediaType),
    );
    if (nested === undefined) throw error;
    return nested;
  }
}
