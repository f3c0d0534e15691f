export { canonicalEntries } from "./canonical.ts";
export { LayerError, type LayerErrorCode } from "./error.ts";
export { MergedTree } from "./merged-tree.ts";
export { packSnapshot, readSnapshot } from "./pack-snapshot.ts";
export { scanUpper, toEntry } from "./scan-upper.ts";
export { settleUpper } from "./settle-upper.ts";
export type { EntryContent, LayerNode, PackedLayer, SourcedEntry } from "./types.ts";
export { type UnpackedLayer, type UnpackLayerOptions, unpackLayer } from "./unpack-layer.ts";
export { type LayerTarget, type WriteLayerOptions, writeLayer } from "./write-layer.ts";
