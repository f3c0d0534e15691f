import { createIgnore, type Ignore } from "../ignore/create-ignore.ts";
import { parseIgnoreLines } from "../ignore/parse-ignorefile.ts";
import type { BaseImage, DryRunOptions } from "./dry-run/dry-run.ts";
import { type PlatformName, parsePlatformName } from "./dry-run/platform-name.ts";

/** Names with values. */
export type NameValues = Readonly<Record<string, string>> | ReadonlyMap<string, string>;

/** What is around the Dockerfile in a build. */
export interface LintOptions {
  readonly buildArgs?: NameValues | undefined;
  /** The text of the context's `.dockerignore`, or its patterns ready made. */
  readonly dockerignore?: string | Uint8Array | Ignore | undefined;
  /** The variables that every base image has; PATH alone by default. */
  readonly baseEnv?: NameValues | undefined;
  /** What is known of one base image, by its expanded name; beats `baseEnv`. */
  readonly baseImage?: ((name: string) => BaseImage | undefined) | undefined;
  /** Look only at what this stage needs; by default at all stages. */
  readonly target?: string | undefined;
  /** Look at nothing but what the target needs, as a build does, also where that is the last stage. */
  readonly isTargetOnly?: boolean | undefined;
  /** `linux/amd64` by default, as is the target platform. */
  readonly buildPlatform?: string | undefined;
  readonly targetPlatform?: string | undefined;
}

const DEFAULT_PLATFORM = "linux/amd64";

/**
 * @throws {DockerfileError} BAD_IGNORE_PATTERN
 * @throws {RangeError} for a platform that is none
 */
export function resolveOptions(options: LintOptions): DryRunOptions {
  const baseEnv = options.baseEnv === undefined ? undefined : toMap(options.baseEnv);
  const { baseImage } = options;
  return {
    buildArgs: toMap(options.buildArgs ?? {}),
    ignore: toIgnore(options.dockerignore),
    baseImage: (name) => ({ env: baseEnv, ...baseImage?.(name) }),
    target: options.target,
    isTargetOnly: options.isTargetOnly ?? options.target !== undefined,
    buildPlatform: toPlatform(options.buildPlatform ?? DEFAULT_PLATFORM),
    targetPlatform: toPlatform(options.targetPlatform ?? DEFAULT_PLATFORM),
  };
}

export function toMap(values: NameValues): ReadonlyMap<string, string> {
  return values instanceof Map ? values : new Map(Object.entries(values));
}

function toIgnore(dockerignore: LintOptions["dockerignore"] | null): Ignore | undefined {
  if (dockerignore === undefined || dockerignore === null) return undefined;
  if (typeof dockerignore !== "string" && !(dockerignore instanceof Uint8Array)) return dockerignore;
  const patterns = parseIgnoreLines(dockerignore);
  return patterns.length === 0 ? undefined : createIgnore(patterns);
}

function toPlatform(text: string): PlatformName {
  const platform = parsePlatformName(text);
  if (platform === undefined)
    throw new RangeError(`Cannot use platform "${text}": it is not OS/ARCHITECTURE`);
  return platform;
}
