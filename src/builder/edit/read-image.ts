import {
  type BlobSource,
  type Descriptor,
  type Digest,
  decodeImageConfig,
  followPlatform,
  isImageManifest,
  MAX_CONFIG_BYTES,
  type ManifestSource,
  OciError,
  type Platform,
} from "../../oci/index.ts";
import { fetchSmallBlob } from "../../registry/index.ts";
import type { ImageContent } from "./rebase.ts";

/** A config whole, verified. @throws {OciError} DOCUMENT_INVALID past 8 MiB; BLOB_CORRUPT */
export function readConfig(
  from: BlobSource,
  descriptor: Descriptor,
  signal: AbortSignal,
): Promise<Uint8Array> {
  return fetchSmallBlob(from, descriptor, { maxBytes: MAX_CONFIG_BYTES, signal });
}

/**
 * The image for a platform, without its layers.
 * @returns also the digest of what the name stands for, an index where there is one
 * @throws {OciError} NO_SUCH_PLATFORM, DOCUMENT_INVALID
 */
export async function readImage(
  from: ManifestSource & BlobSource,
  name: string,
  { platform, signal }: { readonly platform: Platform; readonly signal: AbortSignal },
): Promise<ImageContent & { readonly digest: Digest }> {
  const root = await from.fetchManifest(name, { signal });
  const document = await followPlatform(from, root, platform, { signal });
  const { digest } = root.descriptor;
  if (document.kind === "index" || !isImageManifest(document.manifest))
    throw new OciError("DOCUMENT_INVALID", `Cannot use "${digest}" as a base: it is no image`);
  const { config, layers } = document.manifest;
  return { config: decodeImageConfig(await readConfig(from, config, signal)), layers, digest };
}
