import {
  KNOWN_ARCHITECTURES,
  KNOWN_OS,
  normalizeArchitecture,
  normalizeOs,
} from "../../../util/platform-words.ts";

/** `os/architecture[/variant]`, in canonical names. */
export interface PlatformName {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string;
}

const OS = /^([A-Za-z0-9_-]+)(?:\([A-Za-z0-9_.%-]*(?:\+[A-Za-z0-9_.%-]+)*\))?$/;
const PART = /^[A-Za-z0-9_.-]+$/;

/** @returns undefined for what names no platform */
export function parsePlatformName(text: string): PlatformName | undefined {
  const [first = "", ...parts] = text.split("/");
  const name = OS.exec(first)?.[1];
  if (name === undefined || parts.length > 2 || parts.some((part) => !PART.test(part))) return undefined;
  const os = normalizeOs(name);
  const [architecture, variant = ""] = parts;
  if (architecture !== undefined) return { os, ...nameArchitecture(architecture, variant) };
  // A single word is an operating system or an architecture.
  if (KNOWN_OS.has(os)) return { os, architecture: "amd64", variant: "" };
  const alone = nameArchitecture(first, "");
  return KNOWN_ARCHITECTURES.has(alone.architecture) ? { os: "linux", ...alone } : undefined;
}

export function formatPlatformName({ os, architecture, variant }: PlatformName): string {
  return variant === "" ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`;
}

function nameArchitecture(name: string, variantName: string): Omit<PlatformName, "os"> {
  const { architecture, variant } = normalizeArchitecture(name, variantName);
  const isNumber = architecture === "arm" && /^[5678]$/.test(variant);
  return { architecture, variant: isNumber ? `v${variant}` : variant };
}
