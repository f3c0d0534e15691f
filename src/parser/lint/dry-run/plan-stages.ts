import type { SourceSpan } from "../../../util/span.ts";
import type { CopyInstruction } from "../../instructions/copy.ts";
import type { Instruction } from "../../instructions/index.ts";
import { runMountSources } from "../../instructions/run.ts";
import type { Stage } from "../../stage.ts";
import { rangeOf } from "../range.ts";
import type { Reporter } from "../reporter.ts";
import { checkConstantPlatform } from "../rules/from-platform-flag-const-disallowed.ts";
import { checkRedundantPlatform } from "../rules/redundant-target-platform.ts";
import { checkArgsInFrom } from "../rules/undefined-arg-in-from.ts";
import { planError } from "./plan-error.ts";
import { type PlatformName, parsePlatformName } from "./platform-name.ts";
import { findCircle, type PlannedStage, StageList } from "./stages.ts";
import { Variables } from "./variables.ts";

export interface StageInputs {
  readonly globals: Variables;
  /** Names that FROM may use, those of ARGs without a value included. */
  readonly declared: ReadonlySet<string>;
  readonly targetPlatform: PlatformName;
  readonly reporter: Reporter;
}

/**
 * Expands every FROM and finds out which stage needs which.
 * @throws {DockerfileError} for what would fail the build
 */
export function planStages(stages: readonly Stage[], inputs: StageInputs): StageList {
  const list = new StageList();
  for (const [index, stage] of stages.entries()) list.add(planFrom(stage, index, { ...inputs, list }));
  const declared = [...list.all];
  for (const planned of declared) {
    planned.commands = (planned.stage?.commands ?? []).map((instruction) => {
      const range = rangeOf(instruction);
      return { instruction, range, sources: sourcesOf(instruction, range, { ...inputs, list }) };
    });
  }
  const circle = findCircle(list.all);
  if (circle !== undefined) {
    throw planError(
      "NO_STAGE",
      `circular dependency detected on stage: ${circle.stage.shownName}`,
      circle.range,
      "A stage can only take files from stages above it",
    );
  }
  return list;
}

type Inputs = StageInputs & { readonly list: StageList };

function planFrom(stage: Stage, index: number, inputs: Inputs): PlannedStage {
  const { globals, declared, targetPlatform, reporter, list } = inputs;
  const range = rangeOf(stage.from);
  const own = reporter.forComments(stage.from.comments);
  const { word: baseName, unmatched, error } = globals.tryExpand(stage.baseName);
  checkArgsInFrom(unmatched, declared, range, own);
  if (error !== undefined) throw error.located(range);
  if (baseName === "") {
    throw planError(
      "BAD_ARGUMENTS",
      `base name (${stage.baseName}) should not be blank`,
      range,
      "Give the ARG a default, or pass a build argument",
    );
  }
  const platform =
    stage.platform === undefined
      ? undefined
      : planPlatform(stage, stage.platform, { globals, declared, own, range });
  const base = list.base(baseName);
  return {
    stage,
    shownName: stage.name ?? `stage-${index}`,
    baseName,
    base,
    range,
    // Built on another stage it has that one's platform; from nothing, the target's.
    platform: base?.platform ?? (baseName === "scratch" ? targetPlatform : (platform ?? targetPlatform)),
    commands: [],
    isTriggered: false,
    isReady: false,
    state: undefined,
  };
}

function planPlatform(
  stage: Stage,
  written: string,
  {
    globals,
    declared,
    own,
    range,
  }: Pick<StageInputs, "globals" | "declared"> & {
    readonly own: Reporter;
    readonly range: SourceSpan;
  },
): PlatformName {
  const expanded = globals.tryExpand(written);
  checkArgsInFrom(expanded.unmatched, declared, range, own);
  checkRedundantPlatform({ written, expanded }, globals, range, own);
  checkConstantPlatform(expanded, stage.name, range, own);
  if (expanded.error !== undefined) throw expanded.error.located(range);
  if (expanded.word === "") {
    throw planError("BAD_FLAG_VALUE", `empty platform value from expression ${written}`, range);
  }
  const platform = parsePlatformName(expanded.word);
  if (platform === undefined) {
    throw planError(
      "BAD_FLAG_VALUE",
      `failed to parse platform ${written}: "${expanded.word}" is none`,
      range,
      "Write OS/ARCHITECTURE, like linux/arm64",
    );
  }
  return platform;
}

/** The stages an instruction takes files from; images that it names become stages of their own. */
export function sourcesOf(
  instruction: Instruction,
  range: SourceSpan,
  inputs: Inputs,
): readonly PlannedStage[] {
  if (instruction.kind === "COPY" && instruction.from !== undefined) {
    return [copySource(instruction, instruction.from, range, inputs)];
  }
  if (instruction.kind !== "RUN") return [];
  return runMountSources(instruction).map((from) => named(from ?? "scratch", range, inputs));
}

function copySource(
  instruction: CopyInstruction,
  from: string,
  range: SourceSpan,
  inputs: Inputs,
): PlannedStage {
  const { word } = new Variables("\\").tryExpand(from);
  if (word !== from) {
    throw planError(
      "BAD_FLAG_VALUE",
      "variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround",
      undefined,
      `Write FROM ${from} AS NAME above, and --from=NAME in line ${instruction.at.startLine}`,
    );
  }
  if (!/^[+-]?[0-9]+$/.test(from)) return named(from, range, inputs);
  const planned = inputs.list.all[Number(from)];
  if (planned === undefined) throw planError("NO_STAGE", `invalid stage index ${Number(from)}`);
  return planned;
}

function named(name: string, range: SourceSpan, { list, targetPlatform }: Inputs): PlannedStage {
  const found = list.find(name);
  if (found !== undefined) return found;
  const image: PlannedStage = {
    stage: undefined,
    shownName: name,
    baseName: name,
    base: undefined,
    range,
    platform: targetPlatform,
    commands: [],
    isTriggered: true,
    isReady: false,
    state: undefined,
  };
  list.add(image);
  return image;
}
