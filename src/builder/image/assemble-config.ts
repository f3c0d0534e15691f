import type { HistoryEntry, ImageConfig, RuntimeConfig } from "../../oci/index.ts";
import type { PlannedHistory, PlannedImage } from "../graph/plan.ts";
import type { State } from "../solve/state.ts";

export interface AssembleOptions {
  /** RFC 3339 time for everything that the build dates, from SOURCE_DATE_EPOCH. */
  readonly epoch?: string;
  /** What to date an image with that has no layer with a known time. */
  readonly now: string;
}

/** BuildKit's mark on the history entries that it writes: tools tell by it who built an image. */
const HISTORY_COMMENT = "buildkit.dockerfile.v0";

/**
 * The config document of a built image. A layer's history entry has the time when the layer was made, so that a
 * rebuild from cache has the same digest; an entry without a layer has the time of the entry before it.
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md
 */
export function assembleConfig(planned: PlannedImage, state: State, options: AssembleOptions): ImageConfig {
  const newLayers = state.layers.slice(planned.baseLayers);
  const history: HistoryEntry[] = [...planned.baseHistory];
  let created = lastCreated(planned.baseHistory);
  let next = 0;
  for (const entry of planned.history) {
    if (!entry.emptyLayer) created = newLayers[next++]?.createdAt ?? created;
    history.push(historyEntry(entry, options.epoch ?? created));
  }
  if (next !== newLayers.length)
    throw new Error(
      `invariant: ${newLayers.length} new layers, but the history has ${next} entries with one`,
    );
  const imageCreated = options.epoch ?? created ?? options.now;
  return {
    created: imageCreated,
    ...(planned.author === undefined ? {} : { author: planned.author }),
    architecture: planned.platform.architecture,
    os: planned.platform.os,
    ...(planned.platform.variant === undefined ? {} : { variant: planned.platform.variant }),
    config: withoutEmpty(planned.config),
    rootfs: { type: "layers", diff_ids: state.layers.map(({ diffId }) => diffId) },
    ...(history.length === 0 ? {} : { history }),
  };
}

/** Docker leaves out what is empty, so that `ENTRYPOINT []` makes the same document as no ENTRYPOINT. */
function withoutEmpty(config: RuntimeConfig): RuntimeConfig {
  const isEmpty = (value: unknown): boolean =>
    value === "" ||
    value === undefined ||
    (typeof value === "object" && value !== null && Object.keys(value).length === 0);
  return Object.fromEntries(Object.entries(config).filter(([, value]) => !isEmpty(value)));
}

function historyEntry(entry: PlannedHistory, created: string | undefined): HistoryEntry {
  return {
    ...(created === undefined ? {} : { created }),
    created_by: entry.createdBy,
    comment: HISTORY_COMMENT,
    ...(entry.emptyLayer ? { empty_layer: true } : {}),
  };
}

function lastCreated(history: readonly HistoryEntry[]): string | undefined {
  return history.findLast((entry) => entry.created !== undefined)?.created;
}
