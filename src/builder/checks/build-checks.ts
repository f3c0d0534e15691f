import { formatPlatform, type Platform } from "../../oci/index.ts";
import { checkParsed, type Diagnostic, type Dockerfile, type Ignore } from "../../parser/index.ts";
import type { OnEvent } from "../events.ts";
import type { ResolvedImage } from "../resolved-image.ts";
import type { BuildOptions } from "../types.ts";

export interface BuildCheckInput {
  readonly dockerfile: Dockerfile;
  readonly options: Pick<BuildOptions, "buildArgs" | "target" | "platforms">;
  readonly buildPlatform: Platform;
  /** What the names of base images have turned out to be. */
  readonly bases: ReadonlyMap<string, ResolvedImage>;
  /** What the context's ignore file leaves out. */
  readonly ignore: Ignore | undefined;
  readonly onEvent: OnEvent;
}

/**
 * Asks BuildKit's build checks about what is going to be built, and tells what they find as warnings.
 * @returns those warnings' texts
 * @throws {DockerfileError} CHECK_VIOLATION when the file says `# check=error=true`; BAD_CHECK_OPTION for a bad `# check=`
 */
export function runBuildChecks(input: BuildCheckInput): readonly string[] {
  const { dockerfile, options, buildPlatform, bases, ignore, onEvent } = input;
  const [targetPlatform = buildPlatform] = options.platforms;
  const { diagnostics, error } = checkParsed(dockerfile, {
    buildArgs: options.buildArgs,
    target: options.target || undefined,
    isTargetOnly: true,
    buildPlatform: formatPlatform(buildPlatform),
    targetPlatform: formatPlatform(targetPlatform),
    dockerignore: ignore,
    baseImage: (name) => describeBase(bases.get(name)),
  });
  for (const diagnostic of diagnostics) onEvent(warningOf(diagnostic));
  // Anything else that would fail a build has not failed this one's plan.
  if (error?.code === "CHECK_VIOLATION" || error?.code === "BAD_CHECK_OPTION") throw error;
  return diagnostics.map((diagnostic) => warningOf(diagnostic).message);
}

function describeBase(image: ResolvedImage | undefined) {
  if (image === undefined) return undefined;
  const variables = (image.config.config?.Env ?? []).map((entry): [string, string] => {
    const equals = entry.indexOf("=");
    return equals === -1 ? [entry, ""] : [entry.slice(0, equals), entry.slice(equals + 1)];
  });
  return { env: new Map(variables), platform: formatPlatform(image.platform) };
}

function warningOf({ rule, message, description, url, range }: Diagnostic) {
  const { file, startLine, endLine } = range;
  return {
    kind: "warning",
    message: `${rule}: ${message} (${file}:${startLine})`,
    check: { rule, message, description, url, file, startLine, endLine },
  } as const;
}
