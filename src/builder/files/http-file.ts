import { type ByteString, toByteString } from "../../oci/layer-entry.ts";
import { FilesError } from "./error.ts";

/** Mode of a file that ADD downloads. */
export const DOWNLOAD_MODE = 0o600;

const UNNAMED = "__unnamed__" as ByteString;

/** The name a download gets: the last part of the URL's path, unescaped. What the server says does not matter. */
export function downloadName(url: string): ByteString {
  const path = /^[a-z]+:\/\/[^/?#]*([^?#]*)/i.exec(url)?.[1] ?? "";
  const name = path.replace(/\/+$/, "").split("/").at(-1) ?? "";
  try {
    const decoded = decodeURIComponent(name);
    const last = decoded.replace(/\/+$/, "").split("/").at(-1) ?? "";
    return last === "" || last === "." || last === ".." ? UNNAMED : toByteString(last);
  } catch {
    // A stray "%": not a URL that has a name.
    return UNNAMED;
  }
}

/** Time of a download in seconds since the epoch: `Last-Modified`, or 1970 when the server does not say. */
export function downloadMtimeSeconds(lastModified: string | null | undefined): number {
  const time = lastModified == null ? Number.NaN : Date.parse(lastModified);
  return Number.isNaN(time) ? 0 : Math.floor(time / 1000);
}

/** A `--checksum` of ADD. */
export interface ExpectedChecksum {
  readonly algorithm: "sha256" | "sha384" | "sha512";
  readonly hex: string;
}

const HEX_LENGTHS = { sha256: 64, sha384: 96, sha512: 128 } as const;

/** @throws {FilesError} CHECKSUM_INVALID */
export function parseChecksum(text: string): ExpectedChecksum {
  const colon = text.indexOf(":");
  const algorithm = text.slice(0, Math.max(0, colon));
  const hex = text.slice(colon + 1);
  const fault =
    colon < 1 || !/^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/.test(text)
      ? "invalid checksum digest format"
      : !(algorithm in HEX_LENGTHS)
        ? "unsupported digest algorithm"
        : hex.length !== HEX_LENGTHS[algorithm as keyof typeof HEX_LENGTHS]
          ? "invalid checksum digest length"
          : !/^[0-9a-f]+$/.test(hex)
            ? "invalid checksum digest format"
            : undefined;
  if (fault !== undefined)
    throw new FilesError("CHECKSUM_INVALID", `Cannot use --checksum=${text}: ${fault}`, {
      hint: "Write it as sha256: and 64 lowercase hex digits",
    });
  return { algorithm: algorithm as ExpectedChecksum["algorithm"], hex };
}

/** @throws {FilesError} CHECKSUM_MISMATCH */
export function verifyChecksum(url: string, expected: ExpectedChecksum, actualHex: string): void {
  if (actualHex === expected.hex) return;
  const { algorithm, hex } = expected;
  throw new FilesError(
    "CHECKSUM_MISMATCH",
    `Cannot add "${url}": digest mismatch ${algorithm}:${actualHex}: ${algorithm}:${hex}`,
    { hint: "The file at the URL is not the one that --checksum was made for" },
  );
}
