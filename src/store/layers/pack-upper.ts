import { scanUpper } from "./scan-upper.ts";
import { settleUpper } from "./settle-upper.ts";
import type { PackedLayer } from "./types.ts";
import { type WriteLayerOptions, writeLayer } from "./write-layer.ts";

/**
 * Takes what a step left in an overlay's upper folder as a layer: scans it, computes its digests, and settles the
 * folder, which then is the layer's snapshot. `lower` has the topmost layer first; nothing may have `upper` mounted.
 * @throws {LayerError} FILE_CHANGED
 */
export async function packUpper(
  upper: string,
  lower: readonly string[],
  options: WriteLayerOptions = {},
): Promise<PackedLayer> {
  const entries = scanUpper(upper, lower);
  const packed = await writeLayer(entries, {}, options);
  settleUpper(upper, entries);
  return packed;
}
