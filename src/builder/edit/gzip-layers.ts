import { randomUUID } from "node:crypto";
import {
  type BlobOpener,
  type BlobSource,
  type Descriptor,
  type Digest,
  layerCompression,
  pointAt,
  verifyBlob,
} from "../../oci/index.ts";
import { type DocumentTree, manifestDocument, rebuildTree } from "../../registry/index.ts";
import { decompress, readChunks } from "../../store/index.ts";
import { gzipToFile } from "../../store/transports/index.ts";

/** Images whose layers were compressed anew. */
export interface GzippedTree {
  readonly tree: DocumentTree;
  /** The new layers. */
  readonly blobs: ReadonlyMap<Digest, BlobOpener>;
}

/**
 * Compresses layers with gzip that are compressed with zstd, for which Docker's format has no type: always to the same bytes, each
 * layer once. Configs, and so image IDs, stay.
 * @param options.tempFolder where the new layers are put; the caller removes them
 */
export async function gzipZstdLayers(
  tree: DocumentTree,
  source: BlobSource,
  { tempFolder, signal }: { readonly tempFolder: () => string; readonly signal: AbortSignal },
): Promise<GzippedTree> {
  const made = new Map<Digest, Descriptor>();
  const blobs = new Map<Digest, BlobOpener>();
  // One after the other: each uses all cores while it compresses.
  for (const layer of tree.manifests.flatMap(({ manifest }) => manifest.layers)) {
    if (made.has(layer.digest) || layerCompression(layer.mediaType) !== "zstd") continue;
    const path = `${tempFolder()}/layer-${randomUUID()}`;
    const stored = verifyBlob(await source.openBlob(layer, { signal }), layer);
    const { digest, size } = await gzipToFile(decompress(stored), path, { signal });
    made.set(layer.digest, { mediaType: layer.mediaType.replace(/\+zstd$/, "+gzip"), digest, size });
    blobs.set(digest, async (at) => readChunks(path, at));
  }
  const newTree = rebuildTree(
    tree,
    (document) => {
      const layers = document.manifest.layers.map((layer) => pointAt(layer, made.get(layer.digest) ?? layer));
      if (layers.every((layer, i) => layer === document.manifest.layers[i])) return document;
      return manifestDocument({ ...document.manifest, layers }, document.descriptor.mediaType);
    },
    ({ index }, target) => {
      const manifests = index.manifests.map((entry) => pointAt(entry, target(entry)?.descriptor ?? entry));
      return manifests.every((entry, i) => entry === index.manifests[i]) ? index : { ...index, manifests };
    },
  );
  return { tree: newTree, blobs };
}
