import { decodeManifestDocument } from "./decode-manifest.ts";
import type { Descriptor } from "./descriptor.ts";
import type { Digest } from "./digest.ts";
import type { ImageIndex, ImageManifest } from "./manifest.ts";

/** A document with its bytes: what digests and signatures are about. */
export interface FetchedIndex {
  readonly kind: "index";
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  readonly index: ImageIndex;
}

export interface FetchedManifest {
  readonly kind: "manifest";
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  readonly manifest: ImageManifest;
}

export type FetchedDocument = FetchedIndex | FetchedManifest;

/** Something that has manifests by name: a repository, an image layout. */
export interface ManifestSource {
  /** By tag or digest. The bytes are verified. */
  fetchManifest(
    name: string,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<FetchedDocument>;
}

/** Something that takes manifests. What a manifest lists has to be there before. */
export interface ManifestSink {
  /** Under a tag, or under its digest alone. Idempotent. */
  pushManifest(
    bytes: Uint8Array,
    options: {
      readonly mediaType: string;
      /** What others name it by; its sha256 digest when absent. */
      readonly digest?: Digest | undefined;
      readonly tag?: string | undefined;
      /** Something that it lists has only just come: so it is not there yet, and need not be looked for. */
      readonly isNew?: boolean | undefined;
      readonly signal?: AbortSignal | undefined;
    },
  ): Promise<Descriptor>;
}

/**
 * Reads verified bytes as what they are. The media type is the document's own, failing that the descriptor's.
 * @throws {OciError} DOCUMENT_INVALID
 */
export function readDocument(
  bytes: Uint8Array,
  { mediaType, digest }: Pick<Descriptor, "mediaType" | "digest">,
): FetchedDocument {
  const document = decodeManifestDocument(bytes, mediaType);
  const descriptor = { mediaType: document.mediaType, digest, size: bytes.byteLength };
  return document.kind === "index"
    ? { kind: "index", descriptor, bytes, index: document.index }
    : { kind: "manifest", descriptor, bytes, manifest: document.manifest };
}
