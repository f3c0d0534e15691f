import { canonicalEntries } from "./canonical.ts";
import { Packer } from "./packer.ts";
import type { PackedLayer, SourcedEntry } from "./types.ts";

/** Where a layer goes while it is packed, beside its digests. */
export interface LayerTarget {
  /** An empty folder that gets the entries in overlay form. */
  readonly snapshotDir?: string;
  /** Gets the canonical tar in order; a chunk is the taker's to keep. */
  readonly onTarChunk?: (chunk: Uint8Array) => void | Promise<void>;
}

export interface WriteLayerOptions {
  readonly signal?: AbortSignal | undefined;
  /** When the step began, in seconds since the epoch: earlier times count in the treeId, see TreeHasher. */
  readonly recentSinceSeconds?: number | undefined;
}

/**
 * Packs entries in one pass over their content: each file is read once, and from those bytes come the canonical tar, its
 * diffID, the treeId and, if wanted, a snapshot. The entries may come in any order; see `canonicalEntries`.
 *
 * On failure the snapshot folder holds what was written so far, for its owner to discard.
 * @throws {LayerError} FILE_CHANGED when a source does not have the bytes that its entry says; NOT_PERMITTED
 * @throws {TypeError} when an entry's folder or link target is missing
 */
export async function writeLayer(
  entries: Iterable<SourcedEntry> | AsyncIterable<SourcedEntry>,
  target: LayerTarget = {},
  options: WriteLayerOptions = {},
): Promise<PackedLayer> {
  const list = Array.isArray(entries) ? (entries as readonly SourcedEntry[]) : await collect(entries);
  return await new Packer({ ...target, ...options }).pack(canonicalEntries(list));
}

async function collect(
  entries: Iterable<SourcedEntry> | AsyncIterable<SourcedEntry>,
): Promise<readonly SourcedEntry[]> {
  const list: SourcedEntry[] = [];
  for await (const entry of entries) list.push(entry);
  return list;
}
