import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { blobName, CONTAINERD_NAME, REF_NAME } from "../../oci/image-layout.ts";
import {
  type BlobSource,
  choosePlatform,
  type Descriptor,
  decodeIndex,
  decodeManifestDocument,
  type ImageIndex,
  isAttestation,
  isDigest,
  MEDIA_TYPES,
  type Platform,
  verifyBytes,
} from "../../oci/index.ts";
import { BuildError } from "../error.ts";

/** An image found in a folder that follows the OCI image layout. */
export interface LayoutImage {
  readonly manifest: Descriptor;
  readonly manifestBytes: Uint8Array;
  readonly configBytes: Uint8Array;
  readonly blobs: BlobSource;
}

const MAX_DOCUMENT_BYTES = 8 << 20;
const MAX_INDEX_DEPTH = 4;

/**
 * Finds an image in an OCI layout: by `reference` (a digest, or a tag as index.json annotates it), else the only
 * or the first entry; then down through indexes to the platform.
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
 * @throws {BuildError} BASE_IMAGE when the folder is no layout, the reference is not in it, or no platform fits
 */
export async function openLayoutImage(
  folder: string,
  options: { readonly reference?: string; readonly platform: Platform },
): Promise<LayoutImage> {
  const index = decodeIndex(await readLayoutFile(folder, "index.json"));
  let descriptor = pickEntry(folder, index, options);
  for (let depth = 0; depth <= MAX_INDEX_DEPTH; depth++) {
    const manifestBytes = await readDocument(folder, descriptor);
    const document = decodeManifestDocument(manifestBytes, descriptor.mediaType);
    if (document.kind === "manifest") {
      return {
        manifest: { mediaType: document.mediaType, digest: descriptor.digest, size: manifestBytes.length },
        manifestBytes,
        configBytes: await readDocument(folder, document.manifest.config),
        blobs: layoutBlobs(folder),
      };
    }
    descriptor = choosePlatform(document.index, options.platform);
  }
  throw new BuildError("BASE_IMAGE", `Cannot use OCI layout "${folder}": indexes are nested too deep`);
}

/** The blobs of an OCI layout folder. */
function layoutBlobs(folder: string): BlobSource {
  return {
    openBlob: async (descriptor, options = {}) =>
      createReadStream(blobPath(folder, descriptor), {
        start: options.offset ?? 0,
        highWaterMark: 1 << 20,
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      }),
  };
}

function pickEntry(
  folder: string,
  index: ImageIndex,
  { reference, platform }: { readonly reference?: string; readonly platform: Platform },
): Descriptor {
  if (reference === undefined) {
    const images = index.manifests.filter((entry) => !isAttestation(entry));
    const first = images[0];
    if (images.length > 1 && images.some((entry) => entry.platform !== undefined))
      return choosePlatform(index, platform);
    if (first !== undefined) return first;
    throw new BuildError("BASE_IMAGE", `Cannot use OCI layout "${folder}": its index.json lists no image`);
  }
  const digest = reference.startsWith("@") ? reference.slice(1) : reference;
  const found = isDigest(digest)
    ? (index.manifests.find((entry) => entry.digest === digest) ??
      ({ mediaType: MEDIA_TYPES.ociManifest, digest, size: -1 } satisfies Descriptor))
    : index.manifests.find((entry) =>
        entryNames(entry).some((name) => name === digest || name.endsWith(`:${digest}`)),
      );
  if (found !== undefined) return found;
  const names = index.manifests.flatMap(entryNames);
  throw new BuildError("BASE_IMAGE", `Cannot find "${reference}" in OCI layout "${folder}"`, {
    hint:
      names.length === 0 ? "Its index.json names no tags; leave the tag out" : `It has ${names.join(", ")}`,
  });
}

function entryNames(entry: Descriptor): readonly string[] {
  return [REF_NAME, CONTAINERD_NAME].flatMap((key) => entry.annotations?.[key] ?? []);
}

async function readDocument(folder: string, descriptor: Descriptor): Promise<Uint8Array> {
  const path = blobPath(folder, descriptor);
  const size = (await stat(path).catch(() => undefined))?.size;
  if (size === undefined || size > MAX_DOCUMENT_BYTES)
    throw new BuildError(
      "BASE_IMAGE",
      `Cannot read ${descriptor.digest} of OCI layout "${folder}": ${size === undefined ? "it is not there" : "too large for a manifest or config"}`,
    );
  const bytes = await readFile(path);
  verifyBytes(bytes, descriptor.size < 0 ? { ...descriptor, size: bytes.length } : descriptor);
  return bytes;
}

async function readLayoutFile(folder: string, name: string): Promise<Uint8Array> {
  try {
    return await readFile(join(folder, name));
  } catch (cause) {
    throw new BuildError("BASE_IMAGE", `Cannot use "${folder}" as an OCI layout: ${name} cannot be read`, {
      hint: "An OCI layout is a folder with oci-layout, index.json and blobs/, as `skopeo copy … oci:DIR` makes it",
      cause,
    });
  }
}

function blobPath(folder: string, descriptor: Descriptor): string {
  return join(folder, blobName(descriptor.digest));
}
