import { BuildError } from "../error.ts";
import type { BuildOptions } from "../types.ts";
import type { AnnotationSet } from "./image-documents.ts";

const PLACES = {
  manifest: "manifest",
  index: "index",
  "manifest-descriptor": "manifestDescriptor",
  "index-descriptor": "indexDescriptor",
} as const;

/**
 * Sorts annotations by the prefix of their key, buildx's syntax: `manifest:KEY` (the default), `index:KEY`,
 * `manifest-descriptor:KEY`, `index-descriptor:KEY`, several with commas, each with an optional `[platform]`.
 * @throws {BuildError} OUTPUT_FAILED for a prefix that is none of these
 */
export function splitAnnotations(annotations: BuildOptions["annotations"]): AnnotationSet {
  const set = { manifest: {}, index: {}, manifestDescriptor: {}, indexDescriptor: {} } as {
    -readonly [K in keyof AnnotationSet]: Record<string, string>;
  };
  for (const { key, value } of annotations) {
    const colon = key.indexOf(":");
    const places = colon < 0 ? ["manifest"] : key.slice(0, colon).split(",");
    for (const place of places) {
      const name = place.replace(/\[.*\]$/, "");
      if (!isPlace(name))
        throw new BuildError("OUTPUT_FAILED", `Cannot use annotation "${key}": unknown place "${name}"`, {
          hint: `Places are ${Object.keys(PLACES).join(", ")}`,
        });
      set[PLACES[name]][key.slice(colon + 1)] = value;
    }
  }
  return set;
}

function isPlace(name: string): name is keyof typeof PLACES {
  return name in PLACES;
}
