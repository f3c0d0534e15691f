import type { EscapeCharacter } from "../../ast.ts";
import { DockerfileError } from "../../error.ts";
import type { ArgInstruction } from "../../instructions/arg.ts";
import { rangeOf } from "../range.ts";
import { formatPlatformName, type PlatformName } from "./platform-name.ts";
import { Variables } from "./variables.ts";

export interface PredefinedArgs {
  readonly buildPlatform: PlatformName;
  readonly targetPlatform: PlatformName;
  /** The target stage's name; empty if it has none. */
  readonly target: string;
  readonly buildArgs: ReadonlyMap<string, string>;
}

/** The ARGs that are there without being declared. */
export function predefinedArgs(escapeChar: EscapeCharacter, options: PredefinedArgs): Variables {
  const { buildPlatform: build, targetPlatform: target, buildArgs } = options;
  const values: readonly (readonly [string, string])[] = [
    ["BUILDPLATFORM", formatPlatformName(build)],
    ["BUILDOS", build.os],
    ["BUILDOSVERSION", ""],
    ["BUILDARCH", build.architecture],
    ["BUILDVARIANT", build.variant],
    ["TARGETPLATFORM", formatPlatformName(target)],
    ["TARGETOS", target.os],
    ["TARGETOSVERSION", ""],
    ["TARGETARCH", target.architecture],
    ["TARGETVARIANT", target.variant],
    ["TARGETSTAGE", options.target === "" ? "default" : options.target],
  ];
  return new Variables(
    escapeChar,
    values.map(([name, value]) => [name, buildArgs.get(name) ?? value]),
  );
}

/**
 * Adds the ARGs before the first FROM: what a build argument says, else the default.
 * @throws {DockerfileError} BAD_SUBSTITUTION
 */
export function withMetaArgs(
  predefined: Variables,
  metaArgs: readonly ArgInstruction[],
  buildArgs: ReadonlyMap<string, string>,
): Variables {
  const variables = predefined.copy();
  for (const instruction of metaArgs) {
    for (const { key, value } of instruction.args) {
      const given =
        buildArgs.get(key) ?? (value === undefined ? undefined : expandAt(variables, value, instruction));
      if (given !== undefined) variables.set(key, given);
    }
  }
  return variables;
}

function expandAt(variables: Variables, word: string, instruction: ArgInstruction): string {
  try {
    return variables.expand(word);
  } catch (error) {
    throw error instanceof DockerfileError ? error.located(rangeOf(instruction)) : error;
  }
}
