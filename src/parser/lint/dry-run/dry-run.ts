import type { SourceSpan } from "../../../util/span.ts";
import type { EscapeCharacter } from "../../ast.ts";
import { parseOnbuildTrigger } from "../../dockerfile.ts";
import { DockerfileError } from "../../error.ts";
import type { Ignore } from "../../ignore/create-ignore.ts";
import type { ArgInstruction } from "../../instructions/arg.ts";
import type { Stage } from "../../stage.ts";
import type { Reporter } from "../reporter.ts";
import { checkInstructionCasing } from "../rules/consistent-instruction-casing.ts";
import { checkDuplicateNames } from "../rules/duplicate-stage-name.ts";
import { checkBasePlatform } from "../rules/invalid-base-image-platform.ts";
import { checkDefaultArgs } from "../rules/invalid-default-arg-in-from.ts";
import { checkReservedNames } from "../rules/reserved-stage-name.ts";
import { predefinedArgs, withMetaArgs } from "./global-args.ts";
import { isImageName } from "./image-name.ts";
import { planError } from "./plan-error.ts";
import { planStages, type StageInputs, sourcesOf } from "./plan-stages.ts";
import type { PlatformName } from "./platform-name.ts";
import { runStage } from "./run-stage.ts";
import { checkSourceDateEpoch } from "./source-date-epoch.ts";
import { type PlannedStage, reachableFrom, type StageList } from "./stages.ts";
import { Variables } from "./variables.ts";

/** What is known of a base image without looking at it. */
export interface BaseImage {
  readonly env?: ReadonlyMap<string, string> | undefined;
  /** `os/architecture[/variant]`. */
  readonly platform?: string | undefined;
}

export interface DryRunOptions {
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly ignore: Ignore | undefined;
  readonly baseImage: (name: string) => BaseImage | undefined;
  /** The last stage without it. */
  readonly target: string | undefined;
  /** Only what the target needs is looked at, else all stages. */
  readonly isTargetOnly: boolean;
  readonly buildPlatform: PlatformName;
  readonly targetPlatform: PlatformName;
}

export interface DryRunFile {
  readonly escape: EscapeCharacter;
  readonly metaArgs: readonly ArgInstruction[];
  readonly stages: readonly Stage[];
}

const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Goes through a file as a build would, without building: expands variables, follows stages, and lets the rules look on.
 * @throws {DockerfileError} what would fail the build; what the rules found before it has been reported
 */
export function dryRun(file: DryRunFile, options: DryRunOptions, reporter: Reporter): void {
  const { stages, metaArgs } = file;
  const last = stages.at(-1);
  if (last === undefined)
    throw planError("NO_STAGE", "dockerfile contains no stages to build", undefined, "Add a FROM");
  checkReservedNames(stages, reporter);
  checkDuplicateNames(stages, reporter);
  checkInstructionCasing(stages, reporter);

  const target = options.target ?? last.name ?? "";
  const predefined = predefinedArgs(file.escape, { ...options, target });
  checkWithDefaults(file, predefined, reporter);
  const globals = withMetaArgs(predefined, metaArgs, options.buildArgs);
  checkSourceDateEpoch(stages, globals, options.buildArgs);

  const declared = new Set([
    ...globals.names(),
    ...metaArgs.flatMap(({ args }) => args.map(({ key }) => key)),
  ]);
  const inputs = { globals, declared, targetPlatform: options.targetPlatform, reporter };
  const list = planStages(stages, inputs);
  const goal = findTarget(list, stages.length, options.target);
  const wanted = resolveBases(list, goal, { ...options, ...inputs });
  for (const planned of list.all) {
    if (options.isTargetOnly && !wanted.has(planned)) continue;
    runStage(planned, startState(planned, file.escape, options), { ...options, globals, reporter });
    planned.isReady = true;
  }
}

function checkWithDefaults(
  { stages, metaArgs }: DryRunFile,
  predefined: Variables,
  reporter: Reporter,
): void {
  let defaults: Variables;
  try {
    defaults = withMetaArgs(predefined, metaArgs, new Map());
  } catch (error) {
    // With build arguments it may be different, and if not, the build fails for the same reason.
    if (error instanceof DockerfileError) return;
    throw error;
  }
  checkDefaultArgs(stages, defaults, reporter);
}

function findTarget(list: StageList, declared: number, name: string | undefined): PlannedStage {
  const found = name === undefined ? list.all[declared - 1] : list.find(name);
  if (found !== undefined) return found;
  const names = [...list.names()].join(", ");
  throw planError(
    "NO_STAGE",
    `target stage "${name}" could not be found`,
    undefined,
    names === "" ? "No stage has a name" : `The stages are ${names}`,
  );
}

/**
 * Checks the names of base images and puts triggers of stages in front of what is built on them, until no more stages
 * become needed by that.
 */
function resolveBases(
  list: StageList,
  goal: PlannedStage,
  options: DryRunOptions & StageInputs,
): ReadonlySet<PlannedStage> {
  const resolved = new Set<PlannedStage>();
  for (;;) {
    const reachable = reachableFrom(goal);
    for (const planned of list.all) {
      if (planned.base !== undefined || resolved.has(planned)) continue;
      resolved.add(planned);
      checkBase(planned, !options.isTargetOnly || reachable.has(planned), options);
    }
    let hasNew = false;
    for (const planned of reachable) {
      if (planned.isTriggered) continue;
      planned.isTriggered = true;
      hasNew = addTriggers(planned, { ...options, list }) || hasNew;
    }
    if (!hasNew) return reachable;
  }
}

function checkBase(
  planned: PlannedStage,
  isWanted: boolean,
  { baseImage, reporter }: DryRunOptions & { readonly reporter: Reporter },
): void {
  const { baseName, range, platform } = planned;
  // What is no stage is there from the beginning.
  if (planned.stage === undefined) planned.isReady = true;
  if (baseName === "scratch") return;
  if (!isImageName(baseName)) throw badImageName(baseName, range);
  if (!isWanted || range === undefined) return;
  checkBasePlatform(baseName, { expected: platform, actual: baseImage(baseName)?.platform }, range, reporter);
}

function badImageName(name: string, range: SourceSpan | undefined): DockerfileError {
  const isCaseOnly = isImageName(name.toLowerCase());
  return planError(
    "BAD_ARGUMENTS",
    `failed to parse stage name ${JSON.stringify(name)}: invalid reference format${isCaseOnly ? ": repository name must be lowercase" : ""}`,
    range,
    isCaseOnly ? `Write ${name.toLowerCase()}` : "An image's name is like registry/repository:tag",
  );
}

function addTriggers(
  planned: PlannedStage,
  options: DryRunOptions & StageInputs & { readonly list: StageList },
): boolean {
  const { range, base } = planned;
  if (range === undefined || base === undefined) return false;
  const triggers = base.commands.flatMap(({ instruction }) =>
    instruction.kind === "ONBUILD" ? [instruction] : [],
  );
  const commands = triggers.map(({ expression }) => {
    try {
      const instruction = parseOnbuildTrigger(expression);
      return { instruction, range, sources: sourcesOf(instruction, range, options) };
    } catch (error) {
      throw error instanceof DockerfileError ? error.located(range) : error;
    }
  });
  planned.commands = [...commands, ...planned.commands];
  return commands.some(({ sources }) => sources.length > 0);
}

function startState(
  planned: PlannedStage,
  escapeChar: EscapeCharacter,
  options: DryRunOptions,
): NonNullable<PlannedStage["state"]> {
  const inherited = planned.base?.state;
  if (inherited !== undefined) {
    return { ...inherited, variables: inherited.variables.copy(), args: new Set(inherited.args) };
  }
  const env = planned.baseName === "scratch" ? undefined : options.baseImage(planned.baseName)?.env;
  const variables = new Variables(escapeChar, env ?? []);
  if (variables.get("PATH") === undefined && planned.platform.os !== "windows")
    variables.set("PATH", DEFAULT_PATH);
  return { variables, args: new Set(), workdir: "/", isWorkdirSet: false, hasShell: false };
}
