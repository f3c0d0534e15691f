import { KNOWN_ARCHITECTURES, KNOWN_OS, normalizeOs } from "../../../util/platform-words.ts";

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
  if (architecture !== undefined) return { os, ...normalizeArchitecture(architecture, variant) };
  // A single word is an operating system or an architecture.
  if (KNOWN_OS.has(os)) return { os, architecture: "amd64", variant: "" };
  const alone = normalizeArchitecture(first, "");
  return KNOWN_ARCHITECTURES.has(alone.architecture) ? { os: "linux", ...alone } : undefined;
}

export function formatPlatformName({ os, architecture, variant }: PlatformName): string {
  return variant === "" ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`;
}

function normalizeArchitecture(name: string, variantName: string): Omit<PlatformName, "os"> {
  const architecture = name.toLowerCase();
  const variant = variantName.toLowerCase();
  switch (architecture) {
    case "i386":
      return { architecture: "386", variant: "" };
    case "x86_64":
    case "x86-64":
    case "amd64":
      return { architecture: "amd64", variant: variant === "v1" ? "" : variant };
    case "aarch64":
    case "arm64":
      return { architecture: "arm64", variant: ["8", "v8", "v8.0"].includes(variant) ? "" : variant };
    case "armhf":
      return { architecture: "arm", variant: "v7" };
    case "armel":
      return { architecture: "arm", variant: "v6" };
    case "arm":
      return { architecture, variant: /^[5678]$/.test(variant) ? `v${variant}` : variant };
    default:
      return { architecture, variant };
  }
}
