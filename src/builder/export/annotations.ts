import { formatPlatform, type Platform, parsePlatform } from "../../oci/index.ts";
import { BuildError } from "../error.ts";
import type { BuildOptions } from "../types.ts";

/** Annotations by where they go, in buildx's terms. */
export interface AnnotationSet {
  readonly manifest: Readonly<Record<string, string>>;
  readonly index: Readonly<Record<string, string>>;
  readonly manifestDescriptor: Readonly<Record<string, string>>;
  readonly indexDescriptor: Readonly<Record<string, string>>;
}

const PLACES = {
  manifest: "manifest",
  index: "index",
  "manifest-descriptor": "manifestDescriptor",
  "index-descriptor": "indexDescriptor",
} as const;

interface Place {
  readonly name: keyof typeof PLACES;
  /** Formatted; undefined for all platforms. */
  readonly platform: string | undefined;
}

/**
 * Sorts annotations by the prefix of their key, buildx's syntax: `manifest:KEY` (the default), `index:KEY`,
 * `manifest-descriptor:KEY`, `index-descriptor:KEY`, several with commas, those of manifests also with a `[platform]`.
 * @param platform what belongs to the image of this one; without it what belongs to no platform's alone
 * @throws {BuildError} OUTPUT_FAILED for a prefix that is none of these
 */
export function splitAnnotations(
  annotations: BuildOptions["annotations"],
  platform?: Platform,
): AnnotationSet {
  const set = { manifest: {}, index: {}, manifestDescriptor: {}, indexDescriptor: {} } as {
    -readonly [K in keyof AnnotationSet]: Record<string, string>;
  };
  const wanted = platform === undefined ? undefined : formatPlatform(platform);
  // What is for one platform wins over what is for all of them.
  for (const isForAll of [true, false]) {
    for (const { key, value } of annotations) {
      const { places, name } = parseKey(key);
      for (const place of places) {
        if ((place.platform === undefined) !== isForAll) continue;
        if (place.platform !== undefined && place.platform !== wanted) continue;
        const at = PLACES[place.name];
        // Not by assignment: a key may be called `__proto__`.
        set[at] = { ...set[at], [name]: value };
      }
    }
  }
  return set;
}

/**
 * Refuses an annotation for a platform that is not built: it would be lost.
 * @throws {BuildError} OUTPUT_FAILED
 */
export function checkAnnotatedPlatforms(
  annotations: BuildOptions["annotations"],
  platforms: readonly Platform[],
): void {
  const built = platforms.map(formatPlatform);
  for (const { key } of annotations) {
    for (const { platform } of parseKey(key).places) {
      if (platform === undefined || built.includes(platform)) continue;
      throw new BuildError("OUTPUT_FAILED", `Cannot use annotation "${key}": ${platform} is not built`, {
        hint: `Platforms of this build are ${built.join(", ")}`,
      });
    }
  }
}

function parseKey(key: string): { readonly places: readonly Place[]; readonly name: string } {
  const colon = key.indexOf(":");
  if (colon < 0) return { places: [{ name: "manifest", platform: undefined }], name: key };
  const places = key
    .slice(0, colon)
    .split(",")
    .map((text) => parsePlace(text, key));
  return { places, name: key.slice(colon + 1) };
}

function parsePlace(text: string, key: string): Place {
  const [, name = text, platform] = /^([^[]*)(?:\[(.*)\])?$/.exec(text) ?? [];
  if (!isPlace(name)) {
    throw new BuildError("OUTPUT_FAILED", `Cannot use annotation "${key}": unknown place "${name}"`, {
      hint: `Places are ${Object.keys(PLACES).join(", ")}`,
    });
  }
  if (platform === undefined) return { name, platform: undefined };
  if (name.startsWith("index")) {
    throw new BuildError("OUTPUT_FAILED", `Cannot use annotation "${key}": an index has no platform`, {
      hint: `Write ${name}:KEY=VALUE`,
    });
  }
  return { name, platform: formatPlatform(parsePlatform(platform)) };
}

function isPlace(name: string): name is keyof typeof PLACES {
  return Object.hasOwn(PLACES, name);
}
