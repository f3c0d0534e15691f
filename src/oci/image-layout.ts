import { type Digest, splitDigest } from "./digest.ts";

/**
 * The image layout: folders and archives with images in them.
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
 */

/** The file by which a layout is known. */
export const LAYOUT_FILE = "oci-layout";
/** What we write into it. */
export const LAYOUT_TEXT = '{"imageLayoutVersion":"1.0.0"}';

/** Annotations of an entry of index.json that name it. The specification's: a tag, or a full name. */
export const REF_NAME = "org.opencontainers.image.ref.name";
/** containerd's: a full name. */
export const CONTAINERD_NAME = "io.containerd.image.name";

/** Where a blob lies in a layout. */
export function blobName(digest: Digest): string {
  const { algorithm, hex } = splitDigest(digest);
  return `blobs/${algorithm}/${hex}`;
}
