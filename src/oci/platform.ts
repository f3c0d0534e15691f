import { KNOWN_ARCHITECTURES, KNOWN_OS, normalizeArchitecture, normalizeOs } from "../util/platform-words.ts";
import { OciError } from "./error.ts";

/** What an image runs on, in Go's names. @see https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly "os.version"?: string;
  readonly "os.features"?: readonly string[];
}

const COMPONENT = /^[A-Za-z0-9_.-]+$/;
const OS_AND_VERSION = /^([A-Za-z0-9_-]+)(?:\(([A-Za-z0-9_.-]*)\))?$/;

/**
 * Reads `os/architecture[/variant]`, `os(version)/architecture`, an architecture alone (for Linux) or an
 * operating system alone (for `host`'s architecture), and normalises it.
 * @throws {OciError} PLATFORM_INVALID
 * @see https://pkg.go.dev/github.com/containerd/platforms#Parse
 */
export function parsePlatform(text: string, host: Platform = hostPlatform()): Platform {
  if (text.includes("*")) throw invalid(text, "wildcards not yet supported");
  const parts = text.split("/");
  const [first = "", second, third] = parts;
  const osMatch = OS_AND_VERSION.exec(first);
  const wrong = osMatch === null ? first : parts.slice(1).find((part) => !COMPONENT.test(part));
  if (osMatch === null || wrong !== undefined) {
    throw invalid(text, `${JSON.stringify(wrong)} is no valid component of a platform`);
  }
  const os = osMatch[1] ?? "";
  const version = osMatch[2] === undefined || osMatch[2] === "" ? {} : { "os.version": osMatch[2] };
  if (parts.length > 3) throw invalid(text, "cannot parse platform specifier");
  if (second !== undefined) {
    return normalizePlatform({
      os,
      architecture: second,
      ...(third === undefined ? {} : { variant: third }),
      ...version,
    });
  }
  if (KNOWN_OS.has(normalizeOs(os))) {
    const { architecture, variant } = host;
    return normalizePlatform({ os, architecture, ...(variant === undefined ? {} : { variant }), ...version });
  }
  const alone = normalizePlatform({ os: "linux", architecture: first });
  if (KNOWN_ARCHITECTURES.has(alone.architecture)) return alone;
  throw invalid(text, "unknown operating system or architecture");
}

/** `os[(version)]/architecture[/variant]`. */
export function formatPlatform(platform: Platform): string {
  const version = platform["os.version"];
  const os = version === undefined || version === "" ? platform.os : `${platform.os}(${version})`;
  const variant = platform.variant === undefined || platform.variant === "" ? "" : `/${platform.variant}`;
  return `${os}/${platform.architecture}${variant}`;
}

/**
 * One spelling for each platform: `x86_64` → `amd64`, `aarch64` and `arm64/v8` → `arm64`, `armhf` and `arm` →
 * `arm/v7`, `armel` → `arm/v6`, `amd64/v1` → `amd64`. Empty members are left out.
 */
export function normalizePlatform(platform: Platform): Platform {
  const { architecture, variant: written } = normalizeArchitecture(
    platform.architecture,
    platform.variant ?? "",
  );
  const variant = normalizeVariant(architecture, written);
  const version = platform["os.version"];
  const features = platform["os.features"];
  return {
    os: normalizeOs(platform.os),
    architecture,
    ...(variant === "" ? {} : { variant }),
    ...(version === undefined || version === "" ? {} : { "os.version": version }),
    ...(features === undefined || features.length === 0 ? {} : { "os.features": [...features].sort() }),
  };
}

/** Whether two platforms are the same after normalisation (os.version and os.features included). */
export function isSamePlatform(a: Platform, b: Platform): boolean {
  const left = normalizePlatform(a);
  const right = normalizePlatform(b);
  return (
    formatPlatform(left) === formatPlatform(right) &&
    (left["os.features"] ?? []).join() === (right["os.features"] ?? []).join()
  );
}

/**
 * The platform whose images this machine runs: always Linux (elsewhere containers run in a Linux VM of the same
 * architecture). `arch` is Node's `process.arch`; `armVersion` the ARM version that Node was built for, for 32-bit ARM.
 */
export function hostPlatform(
  arch: string = process.arch,
  armVersion: string | number | undefined = ARM_VERSION,
): Platform {
  const architecture = NODE_ARCHITECTURE[arch] ?? arch;
  if (architecture !== "arm") return normalizePlatform({ os: "linux", architecture });
  return normalizePlatform({ os: "linux", architecture, variant: `v${armVersion ?? "7"}` });
}

/** Node's build settings have it on 32-bit ARM only. */
const ARM_VERSION = (process.config.variables as { readonly arm_version?: string | number }).arm_version;

const NODE_ARCHITECTURE: Readonly<Record<string, string>> = {
  x64: "amd64",
  ia32: "386",
  mipsel: "mipsle",
  // Node has no big-endian builds of it, and names the little-endian one without saying so.
  ppc64: "ppc64le",
};

/** A variant that is a number gets its v, and arm its usual one. */
function normalizeVariant(architecture: string, variant: string): string {
  if (architecture === "arm" && variant === "") return "v7";
  return architecture === "arm" || architecture === "arm64" ? withV(variant) : variant;
}

function withV(variant: string): string {
  return /^[0-9]/.test(variant) ? `v${variant}` : variant;
}

function invalid(text: string, fault: string): OciError {
  return new OciError(
    "PLATFORM_INVALID",
    `Cannot parse platform ${JSON.stringify(text.slice(0, 200))}: ${fault}`,
    { hint: "A platform is os/architecture[/variant], e.g. linux/amd64 or linux/arm/v7" },
  );
}
