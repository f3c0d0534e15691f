import type {
  BlobSink,
  BlobSource,
  Descriptor,
  FetchedDocument,
  FetchedIndex,
  FetchedManifest,
  ImageConfig,
  Platform,
  Reference,
} from "../../oci/index.ts";

export type {
  FetchedDocument,
  FetchedIndex,
  FetchedManifest,
  ManifestSink,
  ManifestSource,
} from "../../oci/index.ts";

/** One platform's image without its layers. */
export interface ImageMetadata {
  /** As asked for, with its default tag. */
  readonly reference: Reference;
  /** What the name pointed at: the index where there is one, else the manifest. */
  readonly root: Descriptor;
  readonly index?: FetchedIndex;
  readonly manifest: FetchedManifest;
  /** Its digest is the image ID. */
  readonly config: {
    readonly descriptor: Descriptor;
    readonly bytes: Uint8Array;
    readonly config: ImageConfig;
  };
  /** What the config says, normalised. */
  readonly platform: Platform;
}

export interface FetchMetadataOptions {
  /** The host's when absent. */
  readonly platform?: Platform | undefined;
  /**
   * Looks up a small document that is already here, by digest; undefined when it is not. With it the tag is asked for
   * its digest only (which registries do not count against limits), and nothing known is fetched again.
   */
  readonly readKnown?: ((descriptor: Descriptor) => Promise<Uint8Array | undefined>) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PullImageOptions extends FetchMetadataOptions {
  readonly reference: Reference;
  /** Takes layers, config, manifest and index, in this order; what it has already is not fetched. */
  readonly sink: BlobSink;
}

export interface PushImageOptions {
  /** Has the manifest or index, and all that it lists, by descriptor. */
  readonly source: BlobSource;
  /** The manifest or index to push. */
  readonly root: Descriptor;
  /** Where to: registry and repository; a tag if it is to have one. */
  readonly reference: Reference;
  /** More tags in the same repository. */
  readonly tags?: readonly string[];
  /** Repositories, as `registry/repository`, that may have a blob: it is mounted from there where that works. */
  readonly mountFrom?:
    | ((descriptor: Descriptor) => Promise<readonly string[]> | readonly string[])
    | undefined;
  /** Pushes with Docker's media types, and so other digests, where the registry takes none of OCI's; with a warning. */
  readonly mayFallBack?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PushedImage {
  readonly descriptor: Descriptor;
  /** The manifest or index that the descriptor is of. */
  readonly document: FetchedDocument;
  readonly tags: readonly string[];
  readonly blobs: { readonly uploaded: number; readonly mounted: number; readonly present: number };
  readonly uploadedBytes: number;
}
