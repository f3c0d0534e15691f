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
  const { EditedImage, gzipZstdLayers } = await import("../../builder/edit/index.ts");
  const { signal } = bench.context;
  const tempFolder = await bench.tempFolder();
  const read = await readTree(source.from, source.name, { platforms, signal });
  const { tree, blobs } = await gzipZstdLayers(read, source.from, { tempFolder, signal });
  return {
    from: new EditedImage({ tree, changes: [] }, source.from, blobs),
    name: tree.root.descriptor.digest,
  };
}
