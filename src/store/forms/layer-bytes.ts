import { createHasher, type Digest, splitDigest } from "../../oci/digest.ts";
import { layerCompression } from "../../oci/media-types.ts";
import { TarError } from "../../tar/error.ts";
import { DecompressError } from "../../util/decompress/error.ts";
import type { DiskBlobStore } from "../blobs/blob-store.ts";
import { readChunks } from "../blobs/read-chunks.ts";
import { decompress } from "../compress/decompress.ts";
import { StoreError } from "../error.ts";
import { LayerError } from "../layers/error.ts";
import type { EnsureBlobOptions } from "../types.ts";
import type { LayerFolders } from "./layer-folders.ts";
import type { KnownBlob, LayerRecord } from "./layer-record.ts";

/** Finds the forms of a layer that hold its own bytes: the tar as it was written, or a blob. */
export class LayerBytes {
  readonly #folders: LayerFolders;
  readonly #blobs: DiskBlobStore;

  constructor(folders: LayerFolders, blobs: DiskBlobStore) {
    this.#folders = folders;
    this.#blobs = blobs;
  }

  /** The first blob of the layer whose bytes are here. */
  async presentBlob(
    record: LayerRecord | undefined,
    fits: (blob: KnownBlob) => boolean = () => true,
  ): Promise<KnownBlob | undefined> {
    for (const blob of record?.blobs ?? []) {
      if (fits(blob) && (await this.#blobs.hasBlob(blob.descriptor))) return blob;
    }
    return undefined;
  }

  /** A present blob that is compressed as asked for. */
  async fittingBlob(
    record: LayerRecord | undefined,
    { compression, level }: EnsureBlobOptions,
  ): Promise<KnownBlob | undefined> {
    return await this.presentBlob(
      record,
      (blob) =>
        (compression === undefined || layerCompression(blob.descriptor.mediaType) === compression) &&
        (level === undefined || blob.level === undefined || blob.level === level),
    );
  }

  /** The plain bytes, not verified; undefined when neither tar nor blob is here. */
  async openTar(
    record: LayerRecord | undefined,
    signal: AbortSignal | undefined,
  ): Promise<AsyncIterable<Uint8Array> | undefined> {
    const path = this.#folders.tarPath(record);
    if (path !== undefined) return readChunks(path, { signal });
    const blob = await this.presentBlob(record);
    if (blob === undefined) return undefined;
    return decompress(await this.#blobs.openBlob(blob.descriptor, { signal }));
  }

  /**
   * After `openTar` gave bytes that turned out wrong: drops the form that gave them, if it is to blame, so that
   * another form is used or the blob is fetched again. The caller holds the layer's lock.
   */
  async dropDamaged(record: LayerRecord | undefined): Promise<boolean> {
    if (record === undefined) return false;
    const path = this.#folders.tarPath(record);
    if (path !== undefined) {
      if (await hasDiffId(path, record.diffId)) return false; // then it is no layer, but what was stored
      await this.#folders.updateLocked(record.diffId, ({ tar: _, ...rest }) => rest);
      return true;
    }
    const blob = await this.presentBlob(record);
    return blob !== undefined && (await this.#blobs.removeIfCorrupt(blob.descriptor));
  }
}

async function hasDiffId(path: string, diffId: Digest): Promise<boolean> {
  const hasher = createHasher(splitDigest(diffId).algorithm);
  for await (const chunk of readChunks(path)) hasher.update(chunk);
  return hasher.digest() === diffId;
}

/** Whether an error says that the bytes are wrong: from a codec, the tar reader or the digest check; not the disk. */
export function isAboutContent(error: unknown): boolean {
  if (error instanceof LayerError) return error.code === "DIFF_ID_MISMATCH";
  if (error instanceof StoreError) return error.code === "LAYER_CORRUPT";
  if (error instanceof DecompressError) return error.code !== "UNSUPPORTED";
  return error instanceof TarError || isCodecError(error);
}

function isCodecError(error: unknown): boolean {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return typeof code === "string" && (code.startsWith("Z_") || code.startsWith("ZSTD_"));
}
