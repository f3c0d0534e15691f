import { bytesOnce } from "../../oci/bytes-once.ts";
import { bareDescriptor } from "../../oci/descriptor.ts";
import { type BlobOpener, type Descriptor, digestOf, MEDIA_TYPES, type Reference } from "../../oci/index.ts";
import type { RegistryClient } from "../client.ts";
import { runParallel } from "../parallel.ts";
import type { Repository } from "../repository.ts";
import { PARALLEL_BLOBS } from "./pull-image.ts";

const EMPTY_CONFIG = Buffer.from("{}");

export interface ArtifactFile {
  /** What a puller may call it; the annotation `org.opencontainers.image.title`. */
  readonly title?: string;
  readonly descriptor: Descriptor;
  readonly open: BlobOpener;
}

export interface PushArtifactOptions {
  /** Where to; without a tag it is found by its digest, or through its subject. */
  readonly reference: Reference;
  /** A media type that says what it is: `application/vnd.example.sbom+json`. */
  readonly artifactType: string;
  readonly files: readonly ArtifactFile[];
  /** What it is about: makes it a referrer of that manifest. */
  readonly subject?: Descriptor | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Pushes something that is no image: an SBOM, a signature, a chart. Returns the descriptor of its manifest.
 * @throws {RegistryError} @throws {OciError} BLOB_CORRUPT
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md#guidelines-for-artifact-usage
 */
export async function pushArtifact(
  client: RegistryClient,
  options: PushArtifactOptions,
): Promise<Descriptor> {
  const { reference, artifactType, files, subject, annotations, signal } = options;
  const repository = client.repository(reference);
  const config = {
    mediaType: MEDIA_TYPES.ociEmpty,
    digest: digestOf(EMPTY_CONFIG),
    size: EMPTY_CONFIG.byteLength,
  };
  const empty: ArtifactFile = { descriptor: config, open: async () => bytesOnce(EMPTY_CONFIG) };
  // A manifest has at least one layer; one that holds nothing has the empty one.
  const contents = files.length === 0 ? [empty] : files;
  await runParallel(
    [empty, ...files],
    PARALLEL_BLOBS,
    (file, inner) => pushFile(repository, file, inner),
    signal,
  );
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    artifactType,
    config,
    layers: contents.map(({ descriptor, title }) => {
      const named = title === undefined ? {} : { [TITLE]: title };
      const all = { ...descriptor.annotations, ...named };
      return Object.keys(all).length === 0 ? descriptor : { ...descriptor, annotations: all };
    }),
    // A subject is named, not described.
    ...(subject === undefined ? {} : { subject: bareDescriptor(subject) }),
    ...(annotations === undefined ? {} : { annotations }),
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  const { tag } = reference;
  const pushed = await repository.pushManifest(bytes, { mediaType: MEDIA_TYPES.ociManifest, tag, signal });
  return { ...pushed, artifactType };
}

const TITLE = "org.opencontainers.image.title";

async function pushFile(
  repository: Repository,
  { descriptor, open }: ArtifactFile,
  signal: AbortSignal,
): Promise<void> {
  await repository.writeBlob(descriptor, open, { signal });
}
