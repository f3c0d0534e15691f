import { referrerDescriptor } from "../../oci/artifact-type.ts";
import type { BlobBytes, BlobSource, OpenBlobOptions } from "../../oci/blob-source.ts";
import { isAttestation } from "../../oci/choose-platform.ts";
import { decodeManifestDocument, MAX_MANIFEST_BYTES } from "../../oci/decode-manifest.ts";
import { bareDescriptor, type Descriptor } from "../../oci/descriptor.ts";
import { type Digest, digestOf, isDigest } from "../../oci/digest.ts";
import { OciError } from "../../oci/error.ts";
import { blobName, CONTAINERD_NAME, REF_NAME } from "../../oci/image-layout.ts";
import type { ImageIndex } from "../../oci/manifest.ts";
import { type FetchedDocument, type ManifestSource, readDocument } from "../../oci/manifest-source.ts";
import { MEDIA_TYPES } from "../../oci/media-types.ts";
import { formatFamiliarReference, parseReference } from "../../oci/reference.ts";
import { verifyBytes } from "../../oci/verify-blob.ts";
import { nearest } from "../../util/nearest.ts";
import { TransportError } from "./error.ts";
import type { FileSet } from "./file-set.ts";

/** Names that a message lists. */
const MAX_LISTED = 10;

/** An image of a layout, and what it is called there. */
export interface LayoutImage {
  readonly descriptor: Descriptor;
  /** As index.json has them: `latest`, or a full name. */
  readonly names: readonly string[];
}

/**
 * An OCI image layout, in a folder or an archive.
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
 */
export class OciLayout implements BlobSource, ManifestSource {
  readonly #files: FileSet;
  readonly #index: ImageIndex;
  readonly #indexBytes: Uint8Array;

  private constructor(files: FileSet, index: ImageIndex, indexBytes: Uint8Array) {
    this.#files = files;
    this.#index = index;
    this.#indexBytes = indexBytes;
  }

  /** Undefined when the files are no image layout. @throws {TransportError} @throws {OciError} DOCUMENT_INVALID */
  static async open(files: FileSet): Promise<OciLayout | undefined> {
    const bytes = await files.read("index.json", MAX_MANIFEST_BYTES);
    if (bytes === undefined) return undefined;
    try {
      const document = decodeManifestDocument(bytes, MEDIA_TYPES.ociIndex);
      if (document.kind === "index") return new OciLayout(files, document.index, bytes);
    } catch (error) {
      if (!(error instanceof OciError)) throw error;
      throw new TransportError("ARCHIVE_INVALID", `Cannot read "index.json" of "${files.shown}"`, {
        cause: error,
      });
    }
    throw new TransportError("ARCHIVE_INVALID", `Cannot read "${files.shown}": its index.json is no index`);
  }

  /**
   * Every image of index.json with all of its names, each once. Attestations are left out, and artifacts without a
   * name (what is about an image, mostly) unless there is nothing else.
   */
  get images(): readonly LayoutImage[] {
    const all = this.#entries();
    const likely = all.filter(
      ({ descriptor, names }) => descriptor.artifactType === undefined || names.length > 0,
    );
    return likely.length > 0 ? likely : all;
  }

  #entries(): readonly LayoutImage[] {
    const byDigest = new Map<Digest, { descriptor: Descriptor; names: string[] }>();
    for (const entry of this.#index.manifests) {
      if (isAttestation(entry)) continue;
      const known = byDigest.get(entry.digest) ?? { descriptor: entry, names: [] };
      known.names.push(...namesOf(entry).filter((name) => !known.names.includes(name)));
      byDigest.set(entry.digest, known);
    }
    return [...byDigest.values()];
  }

  /**
   * The image of that name: a tag, a full name or a digest as index.json has it. Without a name the only one; where the
   * entries are one image for several platforms, index.json itself is their index.
   * @throws {TransportError} NO_IMAGE, NO_SUCH_IMAGE, IMAGE_AMBIGUOUS
   */
  find(name?: string): Descriptor {
    const { images } = this;
    const { shown } = this.#files;
    if (images.length === 0) throw new TransportError("NO_IMAGE", `Cannot use "${shown}": it holds no image`);
    if (name === undefined) {
      const [only, second] = images;
      // Without what index.json says about it: the root of a copy is the document, not its entry.
      if (only !== undefined && second === undefined) return bareDescriptor(only.descriptor);
      if (isOneImage(images)) return this.#ownDescriptor();
      throw new TransportError("IMAGE_AMBIGUOUS", `Cannot use "${shown}": it holds ${images.length} images`, {
        hint: `Name one behind a colon: ${listed(images)}`,
      });
    }
    const found =
      images.find(({ names }) => names.includes(name)) ??
      images.find(({ names }) => names.some((own) => isSameName(own, name))) ??
      this.#entries().find(({ descriptor }) => descriptor.digest === name.replace(/^@/, ""));
    if (found !== undefined) return bareDescriptor(found.descriptor);
    const guess = nearest(
      name,
      images.flatMap(({ names }) => names),
    );
    throw new TransportError("NO_SUCH_IMAGE", `Cannot find "${name}" in "${shown}"`, {
      hint: guess === undefined ? `It has ${listed(images)}` : `Did you mean "${guess}"?`,
    });
  }

  async fetchManifest(name: string): Promise<FetchedDocument> {
    const digest = isDigest(name) ? name : this.find(name).digest;
    if (digest === this.#ownDescriptor().digest) return readDocument(this.#indexBytes, this.#ownDescriptor());
    const bytes = await this.#files.read(blobName(digest), MAX_MANIFEST_BYTES);
    if (bytes === undefined) throw this.#missing(digest);
    verifyBytes(bytes, { digest });
    const stated = this.#index.manifests.find((entry) => entry.digest === digest);
    return readDocument(bytes, { mediaType: stated?.mediaType ?? "", digest });
  }

  async openBlob({ digest, size }: Descriptor, options: OpenBlobOptions = {}): Promise<BlobBytes> {
    const found = await this.#files.sizeOf(blobName(digest));
    if (found === undefined) throw this.#missing(digest);
    if (found !== size) {
      throw new OciError(
        "BLOB_CORRUPT",
        `Cannot use blob "${digest}": "${this.#files.shown}" has ${found} bytes of it, not ${size}`,
      );
    }
    return this.#files.open(blobName(digest), { ...options, size });
  }

  async hasBlob({ digest, size }: Descriptor): Promise<boolean> {
    return (await this.#files.sizeOf(blobName(digest))) === size;
  }

  /** What index.json lists as being about a manifest, as registries list it. */
  async listReferrers(subject: Digest): Promise<readonly Descriptor[]> {
    const found: Descriptor[] = [];
    for (const { digest } of this.#index.manifests) {
      const document = await this.fetchManifest(digest);
      const content = document.kind === "index" ? document.index : document.manifest;
      if (content.subject?.digest === subject) found.push(referrerDescriptor(document.descriptor, content));
    }
    return found;
  }

  #ownDescriptor(): Descriptor {
    const bytes = this.#indexBytes;
    return { mediaType: MEDIA_TYPES.ociIndex, digest: digestOf(bytes), size: bytes.byteLength };
  }

  #missing(digest: Digest): OciError {
    return new OciError("BLOB_NOT_FOUND", `Cannot find blob "${digest}" in "${this.#files.shown}"`);
  }
}

/** The annotations by which tools find an image in a layout: `ref` as the tool at hand wants it, containerd's with the full name. */
export function nameAnnotations(ref: string, fullName?: string): Readonly<Record<string, string>> {
  return { [REF_NAME]: ref, ...(fullName === undefined ? {} : { [CONTAINERD_NAME]: fullName }) };
}

/** What an entry of index.json is called. The fullest name first. */
function namesOf({ annotations }: Descriptor): readonly string[] {
  const names = [annotations?.[CONTAINERD_NAME], annotations?.[REF_NAME]];
  return [...new Set(names.filter((name) => name !== undefined && name !== ""))] as string[];
}

/** Different platforms, and nothing that tells them apart by name. */
function isOneImage(images: readonly LayoutImage[]): boolean {
  const platforms = new Set(images.map(({ descriptor }) => JSON.stringify(descriptor.platform)));
  const names = new Set(images.map(({ names: own }) => own.join(" ")));
  return (
    names.size === 1 &&
    platforms.size === images.length &&
    images.every(({ descriptor }) => descriptor.platform !== undefined)
  );
}

/** `app:1` is `docker.io/library/app:1`, and a tag alone is the tag of a full name. */
function isSameName(own: string, wanted: string): boolean {
  try {
    const reference = parseReference(own);
    if (reference.tag === wanted && own.includes(":")) return true;
    return formatFamiliarReference(reference) === formatFamiliarReference(parseReference(wanted));
  } catch {
    return false;
  }
}

function listed(images: readonly LayoutImage[]): string {
  const names = images.map(({ names: [name], descriptor }) => name ?? `@${descriptor.digest}`);
  return names.length <= MAX_LISTED
    ? names.join(", ")
    : `${names.slice(0, MAX_LISTED).join(", ")} and ${names.length - MAX_LISTED} more`;
}
