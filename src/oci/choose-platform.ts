import type { Descriptor } from "./descriptor.ts";
import { OciError } from "./error.ts";
import type { ImageIndex } from "./manifest.ts";
import { formatPlatform, normalizePlatform, type Platform } from "./platform.ts";

export interface ChoosePlatformOptions {
  /**
   * Take 32-bit images for a 64-bit platform where nothing better exists (386 for amd64, arm for arm64). Off by
   * default: a build on such a base is rarely what was meant.
   */
  readonly allow32Bit?: boolean;
}

/**
 * The entry of an index that serves `wanted` best: an exact match, else the highest older variant. Among equals
 * the first. Attestations and entries without a platform are never taken, except that an index whose one entry
 * names no platform gives that one.
 * @throws {OciError} NO_SUCH_PLATFORM, listing what there is
 */
export function choosePlatform(
  index: ImageIndex,
  wanted: Platform,
  options: ChoosePlatformOptions = {},
): Descriptor {
  let best: Descriptor | undefined;
  let bestRank: Rank | undefined;
  const images = index.manifests.filter((entry) => !isAttestation(entry));
  for (const entry of images) {
    if (entry.platform === undefined) continue;
    const rank = rankPlatform(entry.platform, wanted, options);
    if (rank !== undefined && (bestRank === undefined || isBetter(rank, bestRank))) {
      best = entry;
      bestRank = rank;
    }
  }
  const [only, second] = images;
  if (best === undefined && second === undefined && only !== undefined && only.platform === undefined)
    return only;
  if (best !== undefined) return best;
  const offered = listPlatforms(index).map(formatPlatform);
  throw new OciError("NO_SUCH_PLATFORM", `Cannot find platform ${formatPlatform(wanted)} in the image`, {
    hint:
      offered.length === 0
        ? "The image's index lists no platforms"
        : `The image is there for ${offered.join(", ")}`,
  });
}

/** The platforms of the images in an index, normalised, in its order, each once. */
export function listPlatforms(index: ImageIndex): readonly Platform[] {
  const seen = new Map<string, Platform>();
  for (const entry of index.manifests) {
    if (entry.platform === undefined || isAttestation(entry)) continue;
    const platform = normalizePlatform(entry.platform);
    const name = formatPlatform(platform);
    if (!seen.has(name)) seen.set(name, platform);
  }
  return [...seen.values()];
}

/** Whether an index entry is BuildKit's attestation or another thing that is no image to run. */
export function isAttestation(entry: Descriptor): boolean {
  if (entry.annotations?.["vnd.docker.reference.type"] !== undefined) return true;
  return entry.platform?.os === "unknown" && entry.platform.architecture === "unknown";
}

/** Smaller is better in each place, compared from the left. */
type Rank = readonly number[];

/** How well `offered` serves `wanted`: undefined when it does not run there, smaller numbers for better. */
export function rankPlatform(
  offered: Platform,
  wanted: Platform,
  options: ChoosePlatformOptions = {},
): Rank | undefined {
  const has = normalizePlatform(offered);
  const want = normalizePlatform(wanted);
  if (has.os !== want.os) return undefined;
  const features = featuresRank(has, want);
  const version = versionRank(has, want);
  const candidates = compatible(want, options.allow32Bit === true);
  const place = candidates.indexOf(key(has));
  if (place < 0 || features === undefined || version === undefined) return undefined;
  return [place, features, ...version];
}

function isBetter(a: Rank, b: Rank): boolean {
  for (const [i, value] of a.entries()) {
    const other = b[i] ?? 0;
    if (value !== other) return value < other;
  }
  return false;
}

const key = (platform: Platform): string => `${platform.architecture}/${platform.variant ?? ""}`;

/** What runs on `want`, best first. @see https://pkg.go.dev/github.com/containerd/platforms#Only */
function compatible(want: Platform, allow32Bit: boolean): readonly string[] {
  const variant = want.variant ?? "";
  switch (want.architecture) {
    case "amd64":
      return [...amd64Variants(variant), ...(allow32Bit ? ["386/"] : [])];
    case "arm":
      return armVariants(variant);
    case "arm64":
      return [...arm64Variants(variant), ...(allow32Bit ? armVariants("v8") : [])];
    default:
      return [`${want.architecture}/${variant}`];
  }
}

function amd64Variants(variant: string): readonly string[] {
  const level = /^v([2-9])$/.exec(variant)?.[1];
  if (level === undefined) return [`amd64/${variant}`];
  const out: string[] = [];
  for (let n = Number(level); n >= 2; n--) out.push(`amd64/v${n}`);
  return [...out, "amd64/"];
}

function armVariants(variant: string): readonly string[] {
  const level = /^v([5-9])$/.exec(variant)?.[1];
  if (level === undefined) return [`arm/${variant}`];
  const out: string[] = [];
  for (let n = Number(level); n >= 5; n--) out.push(`arm/v${n}`);
  return out;
}

/** v9.x runs what v8.(x+5) does, and everything below. */
function arm64Variants(variant: string): readonly string[] {
  const match = /^v([89])(?:\.([0-9]{1,2}))?$/.exec(variant === "" ? "v8" : variant);
  if (match === null) return [`arm64/${variant}`];
  const minor = Number(match[2] ?? "0");
  const out: string[] = [];
  if (match[1] === "9") for (let n = minor; n >= 0; n--) out.push(n === 0 ? "arm64/v9" : `arm64/v9.${n}`);
  for (let n = match[1] === "9" ? minor + 5 : minor; n >= 1; n--) out.push(`arm64/v8.${n}`);
  return [...out, "arm64/"];
}

/** An image may ask for no feature that is not wanted; the more of the wanted ones it has, the better. */
function featuresRank(has: Platform, want: Platform): number | undefined {
  const wanted = want["os.features"] ?? [];
  const features = has["os.features"] ?? [];
  if (has.os !== "windows" && features.some((feature) => !wanted.includes(feature))) return undefined;
  return -features.filter((feature) => wanted.includes(feature)).length;
}

/** Windows: the build (first three numbers) must agree, the highest revision is best. Elsewhere no matter. */
function versionRank(has: Platform, want: Platform): readonly number[] | undefined {
  const wanted = want["os.version"];
  const version = has["os.version"];
  if (has.os !== "windows" || version === undefined) return [0, 0];
  const numbers = version.split(".").map(Number);
  if (wanted !== undefined) {
    const build = wanted.split(".").slice(0, 3).map(Number);
    if (build.some((part, i) => part !== numbers[i])) return undefined;
    if (wanted === version) return [-2, 0];
  }
  return [-1, -(numbers[3] ?? 0)];
}
