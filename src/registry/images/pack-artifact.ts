import { bytesOnce } from "../../oci/bytes-once.ts";
import { bareDescriptor } from "../../oci/descriptor.ts";
import {
  artifactTypeOf,
  type BlobOpener,
  type BlobSource,
  type Descriptor,
  digestOf,
  type ImageManifest,
  type ManifestSource,
  MEDIA_TYPES,
  OciError,
  readDocument,
} from "../../oci/index.ts";
import { manifestDocument } from "./document-tree.ts";

/** A blob of an artifact, and what a puller may call it. */
export interface ArtifactFile {
  /** The annotation `org.opencontainers.image.title`: a path, relative to wherever the artifact is pulled to. */
  readonly title?: string;
  readonly descriptor: Descriptor;
  readonly open: BlobOpener;
}

export interface ArtifactContents {
  /**
   * A media type that says what it is: `application/vnd.example.sbom+json`. It may be left out only where the type of
   * `config` says that.
   */
  readonly artifactType?: string | undefined;
  readonly files: readonly ArtifactFile[];
  /** What an image has its config for; `{}` when absent. Its title is of no use. */
  readonly config?: ArtifactFile | undefined;
  /** What it is about: makes it a referrer of that manifest. */
  readonly subject?: Descriptor | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** An artifact that can be copied to wherever images can be: see `copyImage`. */
export interface PackedArtifact {
  /** Of its manifest. */
  readonly descriptor: Descriptor & { readonly artifactType: string };
  /** Has the manifest, by its digest, and all blobs. */
  readonly source: ManifestSource & BlobSource;
}

const EMPTY = Buffer.from("{}");
const EMPTY_FILE: ArtifactFile = {
  descriptor: { mediaType: MEDIA_TYPES.ociEmpty, digest: digestOf(EMPTY), size: EMPTY.byteLength },
  open: async ({ offset }) => bytesOnce(EMPTY.subarray(offset)),
};

export const TITLE = "org.opencontainers.image.title";

/**
 * Makes the manifest of something that is no image: an SBOM, a signature, a chart. The same contents have the same
 * digest; nothing of the time or the machine goes into it.
 * @throws {TypeError} without `artifactType`, when no config says what it is
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md#guidelines-for-artifact-usage
 */
export function packArtifact(contents: ArtifactContents): PackedArtifact {
  const { artifactType, subject, annotations, config = EMPTY_FILE } = contents;
  // A manifest has at least one layer; one that holds nothing has the empty one.
  const files = contents.files.length === 0 ? [EMPTY_FILE] : contents.files;
  if (artifactType === undefined && config.descriptor.mediaType === MEDIA_TYPES.ociEmpty)
    throw new TypeError("An artifact without a config of its own needs an artifactType");
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    ...(artifactType === undefined ? {} : { artifactType }),
    config: config.descriptor,
    layers: files.map(withTitle),
    // A subject is named, not described.
    ...(subject === undefined ? {} : { subject: bareDescriptor(subject) }),
    ...(annotations === undefined ? {} : { annotations }),
  };
  const document = manifestDocument(manifest, MEDIA_TYPES.ociManifest);
  const { bytes } = document;
  const descriptor = { ...document.descriptor, artifactType: artifactTypeOf(manifest) };
  const openers = new Map([config, ...files].map(({ descriptor: { digest }, open }) => [digest, open]));
  return {
    descriptor,
    source: {
      fetchManifest: async (name) => {
        if (name === descriptor.digest) return readDocument(bytes, bareDescriptor(descriptor));
        throw new OciError("BLOB_NOT_FOUND", `Cannot find manifest "${name}" in an artifact`);
      },
      openBlob: async ({ digest }, { offset = 0, ...options } = {}) => {
        const open = openers.get(digest);
        if (open !== undefined) return await open({ offset, ...options });
        throw new OciError("BLOB_NOT_FOUND", `Cannot find blob "${digest}" in an artifact`);
      },
    },
  };
}

function withTitle({ descriptor, title }: ArtifactFile): Descriptor {
  if (title === undefined) return descriptor;
  return { ...descriptor, annotations: { ...descriptor.annotations, [TITLE]: title } };
}
