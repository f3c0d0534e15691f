import type { SourceSpan } from "../../../util/span.ts";
import { buildCheck } from "../build-check.ts";
import { formatPlatformName, type PlatformName, parsePlatformName } from "../dry-run/platform-name.ts";
import type { Reporter } from "../reporter.ts";

export const invalidBaseImagePlatform = buildCheck(
  "InvalidBaseImagePlatform",
  "A base image is made for the platform that it is used for",
  { page: "invalid-base-image-platform" },
);

/** @param actual the image's own platform; undefined where nobody knows */
export function checkBasePlatform(
  image: string,
  platforms: { readonly expected: PlatformName; readonly actual: string | undefined },
  range: SourceSpan,
  reporter: Reporter,
): void {
  const actual = platforms.actual === undefined ? undefined : parsePlatformName(platforms.actual);
  const { expected } = platforms;
  if (actual === undefined) return;
  if (actual.os === expected.os && actual.architecture === expected.architecture) return;
  reporter.report(
    invalidBaseImagePlatform,
    range,
    `Base image ${image} is for "${formatPlatformName(actual)}", not for "${formatPlatformName(expected)}"`,
  );
}
