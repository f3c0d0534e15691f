import type { Descriptor } from "../../oci/descriptor.ts";
import { createHasher } from "../../oci/digest.ts";
import type { GrowingBlob } from "../../oci/growing-blob.ts";
import { type Compression, ociLayerType } from "../../oci/media-types.ts";
import type { DiskBlobStore } from "../blobs/blob-store.ts";
import { FileWriter } from "../blobs/file-writer.ts";
import { GrowingFile } from "../blobs/growing-file.ts";
import { gzip } from "../compress/gzip.ts";
import { zstd } from "../compress/zstd.ts";
import type { TempSpace } from "../disk/temp-space.ts";

export interface MakeBlobOptions {
  readonly compression: Compression;
  readonly level: number;
  /** Where programs are looked for, as in PATH. */
  readonly searchPath: string;
  /** Told of the blob when it begins to be made, so that its bytes can be read meanwhile. */
  readonly onStarted?: ((blob: GrowingBlob) => void) | undefined;
  readonly signal: AbortSignal;
}

/**
 * Compresses a layer's tar and stores it as a blob. Nothing is stored unless `tar` ends normally, so its own
 * verification counts.
 */
export async function makeBlob(
  tar: AsyncIterable<Uint8Array>,
  { temp, blobs }: { readonly temp: TempSpace; readonly blobs: DiskBlobStore },
  { compression, level, searchPath, onStarted, signal }: MakeBlobOptions,
): Promise<Descriptor> {
  const path = temp.path("blob");
  const growing = onStarted === undefined ? undefined : new GrowingFile(path);
  try {
    await using writer = await FileWriter.open(path, { attempt: "compress a layer", sync: true });
    if (growing !== undefined) onStarted?.(growing);
    const hasher = createHasher();
    for await (const chunk of compress(tar, { compression, level, searchPath })) {
      signal.throwIfAborted();
      hasher.update(chunk);
      growing?.append(chunk);
      const written = writer.write(chunk);
      if (written === undefined) continue;
      await written;
      growing?.wrote(writer.position);
    }
    growing?.end();
    await writer.finish();
    const descriptor = {
      mediaType: ociLayerType(compression),
      digest: hasher.digest(),
      size: writer.position,
    };
    await blobs.adoptFile(path, descriptor.digest);
    growing?.finish(descriptor, blobs.blobPath(descriptor.digest));
    return descriptor;
  } catch (error) {
    growing?.fail(error);
    await temp.discard(path);
    throw error;
  }
}

function compress(
  tar: AsyncIterable<Uint8Array>,
  { compression, level, searchPath }: Pick<MakeBlobOptions, "compression" | "level" | "searchPath">,
): AsyncIterable<Uint8Array> {
  switch (compression) {
    case "none":
      return tar;
    case "gzip":
      return gzip(tar, { level });
    case "zstd":
      return zstd(tar, { level, searchPath });
    default:
      return compression satisfies never;
  }
}
