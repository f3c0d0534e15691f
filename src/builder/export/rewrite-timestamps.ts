import type { Digest } from "../../oci/index.ts";
import { readSnapshot, writeLayer } from "../../store/layers/index.ts";
import type { BuildStore } from "../collaborators.ts";
import type { LayerAccess } from "../solve/layer-access.ts";
import { type BuiltImage, putConfig } from "./image-documents.ts";

/**
 * The image with no file time after SOURCE_DATE_EPOCH in the layers that the build made: later times become that
 * one. Without an epoch, or with nothing to change, the image stays what it is.
 */
export async function rewriteTimestamps(
  image: BuiltImage,
  context: { readonly store: BuildStore; readonly layers: LayerAccess; readonly signal: AbortSignal },
): Promise<BuiltImage> {
  const { config, baseLayers, epochSeconds } = image;
  if (epochSeconds === undefined) return image;
  const diffIds: Digest[] = [];
  for (const [index, diffId] of config.rootfs.diff_ids.entries())
    diffIds.push(index < baseLayers ? diffId : await clampLayer(diffId, epochSeconds, context));
  const rewritten = { ...config, rootfs: { ...config.rootfs, diff_ids: diffIds } };
  return { ...image, config: rewritten, configDescriptor: await putConfig(context.store, rewritten) };
}

async function clampLayer(
  diffId: Digest,
  epochSeconds: number,
  {
    store,
    layers,
    signal,
  }: { readonly store: BuildStore; readonly layers: LayerAccess; readonly signal: AbortSignal },
): Promise<Digest> {
  const folder = await layers.folder(diffId);
  await using pending = await store.layers.prepareTar();
  const entries = readSnapshot(folder).map((entry) =>
    entry.mtimeSeconds > epochSeconds ? { ...entry, mtimeSeconds: epochSeconds } : entry,
  );
  const packed = await writeLayer(entries, { onTarChunk: (chunk) => pending.write(chunk) }, { signal });
  if (packed.diffId !== diffId) await pending.commit(packed);
  return packed.diffId;
}
