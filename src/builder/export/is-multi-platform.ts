import type { BuildOptions } from "../types.ts";

/** The build argument that asks for the form of several platforms also of one. */
const ALWAYS = "BUILDKIT_MULTI_PLATFORM";

/**
 * Whether a result has the form of several platforms, an index and a folder for each: with several of them, or where
 * the build argument BUILDKIT_MULTI_PLATFORM asks for it, so that a pipeline's output is the same however many it builds.
 */
export function isMultiPlatform({
  platforms,
  buildArgs,
}: Pick<BuildOptions, "platforms" | "buildArgs">): boolean {
  return platforms.length > 1 || /^(1|t|true)$/i.test(buildArgs[ALWAYS] ?? "");
}
