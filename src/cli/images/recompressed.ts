import type { Platform } from "../../oci/index.ts";
import type { OpenedSource } from "./open-source.ts";
import type { Workbench } from "./workbench.ts";

/** The image with layers that Docker's format has types for. */
export async function recompressed(
  source: OpenedSource,
  platforms: readonly Platform[] | undefined,
  bench: Workbench,
): Promise<Pick<OpenedSource, "from" | "name">> {
  const { readTree } = await import("../../registry/index.ts");
  // Not through their door: what edits configs reads Dockerfiles.
  const { EditedImage } = await import("../../builder/edit/edited-image.ts");
  const { gzipZstdLayers } = await import("../../builder/edit/gzip-layers.ts");
  const { signal } = bench.context;
  const tempFolder = await bench.tempFolder();
  const read = await readTree(source.from, source.name, { platforms, signal });
  const { tree, blobs } = await gzipZstdLayers(read, source.from, { tempFolder, signal });
  return {
    from: new EditedImage({ tree, changes: [] }, source.from, blobs),
    name: tree.root.descriptor.digest,
  };
}
