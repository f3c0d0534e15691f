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

/** The same on entries that are there only because there is a layer. */
const EXPORTER_COMMENT = "buildkit.exporter.image.v0";

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
    if (entry.isUnrecorded !== true) history.push(historyEntry(entry, options.epoch ?? created));
  }
  if (next !== newLayers.length)
    throw new Error(
      `invariant: ${newLayers.length} new layers, but the history has ${next} entries with one`,
    );
  const complete = withEveryLayer(
    history,
    planned,
    (layer) => options.epoch ?? state.layers[layer]?.createdAt,
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
    ...(complete.length === 0 ? {} : { history: complete }),
  };
}

/**
 * As many entries with a layer as there are layers, also where a base image has no history, or a wrong one. BuildKit puts those
 * that are missing behind all others, described as the topmost layers are.
 */
function withEveryLayer(
  history: readonly HistoryEntry[],
  planned: PlannedImage,
  createdAt: (layer: number) => string | undefined,
): readonly HistoryEntry[] {
  const ours = planned.history.filter(({ emptyLayer }) => !emptyLayer);
  const total = planned.baseLayers + ours.length;
  let count = 0;
  const fitting = history.map((entry) =>
    entry.empty_layer === true || count++ < total ? entry : { ...entry, empty_layer: true },
  );
  const missing: HistoryEntry[] = [];
  for (let layer = count; layer < total; layer++) {
    const created = createdAt(layer);
    missing.push({
      ...(created === undefined ? {} : { created }),
      created_by: ours[layer - planned.baseLayers]?.createdBy ?? "",
      comment: EXPORTER_COMMENT,
    });
  }
  return [...fitting, ...missing];
}

/** Docker leaves out what is empty, so that `ENTRYPOINT []` makes the same document as no ENTRYPOINT. */
function withoutEmpty(config: RuntimeConfig): RuntimeConfig {
  const isEmpty = (value: unknown): boolean =>
    value === "" ||
    value === undefined ||
    (typeof value === "object" && value !== null && Object.keys(value).length === 0);
  const { Healthcheck, ...members } = config;
  const check = Object.fromEntries(Object.entries(Healthcheck ?? {}).filter(([, value]) => !isEmpty(value)));
  return Object.fromEntries(
    Object.entries({ ...members, Healthcheck: check }).filter(([, value]) => !isEmpty(value)),
  );
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
