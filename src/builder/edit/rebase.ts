import type { Descriptor, HistoryEntry, ImageConfig } from "../../oci/index.ts";
import { BuildError } from "../error.ts";

/** An image's config with the blobs of its layers, lowest first. */
export interface ImageContent {
  readonly config: ImageConfig;
  readonly layers: readonly Descriptor[];
}

/** An image that another one stands on, or is to stand on. */
export interface BaseImage extends ImageContent {
  /** As a person wrote it. */
  readonly shown: string;
}

/**
 * Puts an image's own layers, and its history, onto another base. Its config stays its own, also what came from the old base at
 * the time; the platform is the new base's.
 * @returns the same image when both bases have the same layers
 * @throws {BuildError} BASE_IMAGE when the image does not stand on the old base
 */
export function rebaseImage(
  image: ImageContent,
  { from, to }: { readonly from: BaseImage; readonly to: BaseImage },
): ImageContent {
  checkBase(image, from);
  const count = from.config.rootfs.diff_ids.length;
  const { diff_ids: own } = image.config.rootfs;
  const { diff_ids: base } = to.config.rootfs;
  if (base.length === count && base.every((diffId, i) => diffId === own[i])) return image;
  const { variant: _variant, "os.version": _version, "os.features": _features, ...config } = image.config;
  const { architecture, os, variant, "os.version": version, "os.features": features } = to.config;
  const history = [
    ...withEveryLayer(to.config.history, base.length),
    ...(image.config.history ?? []).slice(
      endOfBase(image.config.history ?? [], from.config.history ?? [], count),
    ),
  ];
  return {
    config: {
      ...config,
      architecture,
      os,
      ...(variant === undefined ? {} : { variant }),
      ...(version === undefined ? {} : { "os.version": version }),
      ...(features === undefined ? {} : { "os.features": features }),
      rootfs: { type: "layers", diff_ids: [...base, ...own.slice(count)] },
      ...(history.length === 0 ? {} : { history }),
    },
    layers: [...to.layers, ...image.layers.slice(count)],
  };
}

function checkBase({ config }: ImageContent, base: BaseImage): void {
  const own = config.rootfs.diff_ids;
  const wanted = base.config.rootfs.diff_ids;
  const at = wanted.findIndex((diffId, i) => diffId !== own[i]);
  if (at < 0) return;
  const hint =
    at < own.length
      ? `Layer ${at + 1} of the base unpacks to "${wanted[at]}", that of the image to "${own[at]}": name the version of the base that it was built on`
      : `The base has ${wanted.length} layers, the image ${own.length}`;
  throw new BuildError("BASE_IMAGE", `Cannot rebase the image: it does not stand on "${base.shown}"`, {
    hint,
  });
}

/** Where the base's part of a history ends: behind all of its entries where it begins with them, else behind its layers. */
function endOfBase(history: readonly HistoryEntry[], base: readonly HistoryEntry[], layers: number): number {
  if (base.every((entry, i) => JSON.stringify(entry) === JSON.stringify(history[i]))) return base.length;
  let count = 0;
  let end = 0;
  for (const [i, entry] of history.entries()) {
    if (count === layers) break;
    if (entry.empty_layer !== true) count++;
    end = i + 1;
  }
  return end;
}

/** A history with as many entries that made a layer as there are layers: what is put behind it then belongs to its own. */
export function withEveryLayer(
  history: readonly HistoryEntry[] = [],
  layers: number,
): readonly HistoryEntry[] {
  const missing = layers - history.filter((entry) => entry.empty_layer !== true).length;
  if (missing <= 0) return history;
  return [...history, ...Array.from({ length: missing }, () => ({ comment: "not recorded" }))];
}
