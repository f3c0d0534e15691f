import { StrakeError } from "../../errors.ts";
import { type Platform, parsePlatform } from "../../oci/index.ts";
import {
  type Dockerfile,
  DockerfileError,
  type Instruction,
  runMountSources,
  type Stage,
} from "../../parser/index.ts";
import { nearest } from "../../util/nearest.ts";
import type { SourceSpan } from "../../util/span.ts";
import { BuildError } from "../error.ts";
import type { ContextSource } from "../types.ts";
import type { EnvList } from "./env-list.ts";
import { dependenciesOf, type StageBase, type StageCommand, type StageNode } from "./stage-node.ts";
import type { WordExpander } from "./word-expander.ts";

export interface StageGraphOptions {
  readonly globalArgs: EnvList;
  readonly words: WordExpander;
  readonly target: string | undefined;
  /** The context of that name, where one was given on the command line: for the platform, by default the target's. */
  readonly namedContext: (name: string, platform: Platform | undefined) => ContextSource | undefined;
}

const SCRATCH = "scratch";

/**
 * The stages of a Dockerfile with what each reads, and the one to build.
 * @throws {BuildError} DOCKERFILE_INVALID, UNKNOWN_STAGE, STAGE_ORDER for stages in a circle
 */
export class StageGraph {
  readonly stages: readonly StageNode[];
  readonly target: StageNode;
  readonly #byName = new Map<string, StageNode>();

  constructor(dockerfile: Dockerfile, options: StageGraphOptions) {
    const stages: StageNode[] = [];
    for (const [index, stage] of dockerfile.stages.entries()) {
      const node = this.#declare(stage, index, options);
      stages.push(node);
      // A later stage of the same name takes it over.
      if (node.name !== undefined) this.#byName.set(node.name, node);
    }
    this.stages = stages;
    const target =
      options.target === undefined ? stages.at(-1) : this.#byName.get(options.target.toLowerCase());
    if (target === undefined) throw this.#unknownTarget(options.target ?? "");
    this.target = target;
    for (const [index, stage] of dockerfile.stages.entries()) {
      const node = stages[index] as StageNode;
      if (node.namedContext !== undefined) continue;
      node.commands = stage.commands.map((instruction) =>
        this.command(instruction, instruction.at, { words: options.words, isTrigger: false }),
      );
    }
    for (const node of stages) checkCircles(node);
  }

  /** An instruction with the stages that it names. */
  command(
    instruction: Instruction,
    at: SourceSpan,
    options: { readonly words: WordExpander; readonly isTrigger: boolean },
  ): StageCommand {
    return { instruction, at, isTrigger: options.isTrigger, sources: this.#sourcesOf(instruction, at) };
  }

  #sourcesOf(instruction: Instruction, at: SourceSpan): readonly (StageNode | undefined)[] {
    if (instruction.kind === "COPY" && instruction.from !== undefined && instruction.from !== "")
      return [this.#copySource(instruction.from, at)];
    if (instruction.kind !== "RUN") return [];
    return runMountSources(instruction).map((from) =>
      from === undefined ? undefined : (this.#byName.get(from.toLowerCase()) ?? undeclared(from, at)),
    );
  }

  #copySource(from: string, at: SourceSpan): StageNode {
    if (from.includes("$"))
      throw new BuildError(
        "DOCKERFILE_INVALID",
        "variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround",
        { at },
      );
    if (/^[+-]?[0-9]+$/.test(from)) {
      const node = this.stages[Number(from)];
      if (node !== undefined) return node;
      const last = this.stages.length - 1;
      throw new BuildError("UNKNOWN_STAGE", `invalid stage index ${from}`, {
        at,
        hint: last === 0 ? "There is one stage, 0" : `Stages count from 0; the last one is ${last}`,
      });
    }
    return this.#byName.get(from.toLowerCase()) ?? undeclared(from, at);
  }

  #declare(stage: Stage, index: number, options: StageGraphOptions): StageNode {
    const { words, globalArgs } = options;
    const { word: baseName, unmatched } = at(stage.at, () => words.expandWhole(stage.baseName, globalArgs));
    if (baseName === "")
      throw new BuildError("DOCKERFILE_INVALID", `base name (${stage.baseName}) should not be blank`, {
        at: stage.at,
        hint: "Only ARGs before the first FROM can be used in FROM; give the one used here a default, or --build-arg",
      });
    const platform = stage.platform === undefined ? undefined : platformOf(stage, stage.platform, options);
    const namedContext =
      stage.name === undefined ? undefined : options.namedContext(stage.name.toLowerCase(), platform);
    return {
      shownName: stage.name ?? `stage-${index}`,
      name: stage.name?.toLowerCase(),
      baseName,
      unsetInBase: unmatched,
      base: this.#baseOf(baseName),
      at: stage.at,
      platform,
      namedContext,
      isDeclared: true,
      commands: [],
      resolved: undefined,
      isTriggered: false,
      state: undefined,
      result: undefined,
    };
  }

  #baseOf(baseName: string): StageBase {
    const stage = this.#byName.get(baseName);
    if (stage !== undefined) return { kind: "stage", stage };
    return baseName === SCRATCH ? { kind: "scratch" } : { kind: "name" };
  }

  #unknownTarget(target: string): BuildError {
    const names = [...this.#byName.keys()];
    const close = nearest(target, names);
    const meant = close === undefined ? "" : ` (did you mean ${close}?)`;
    return new BuildError("UNKNOWN_STAGE", `target stage "${target}" could not be found${meant}`, {
      hint:
        names.length === 0
          ? "No stage has a name; give one with FROM … AS NAME"
          : `The stages are ${names.join(", ")}`,
    });
  }
}

function undeclared(name: string, place: SourceSpan): StageNode {
  return {
    shownName: name,
    name: undefined,
    baseName: name,
    unsetInBase: [],
    base: name === SCRATCH ? { kind: "scratch" } : { kind: "name" },
    at: place,
    platform: undefined,
    namedContext: undefined,
    isDeclared: false,
    commands: [],
    resolved: undefined,
    isTriggered: true,
    state: undefined,
    result: undefined,
  };
}

function platformOf(stage: Stage, written: string, { words, globalArgs }: StageGraphOptions): Platform {
  const text = at(stage.at, () => words.expand(written, globalArgs));
  if (text === "")
    throw new BuildError("DOCKERFILE_INVALID", `empty platform value from expression ${written}`, {
      at: stage.at,
    });
  try {
    return parsePlatform(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new BuildError("DOCKERFILE_INVALID", `failed to parse platform ${written}: ${reason}`, {
      at: stage.at,
      cause,
    });
  }
}

function checkCircles(start: StageNode): void {
  const visited = new Set<StageNode>();
  const path = new Set<StageNode>();
  const visit = (node: StageNode): SourceSpan | undefined => {
    if (visited.has(node)) return undefined;
    visited.add(node);
    path.add(node);
    for (const dependency of dependenciesOf(node)) {
      if (path.has(dependency.node)) return dependency.at;
      const found = visit(dependency.node);
      if (found !== undefined) return found;
    }
    path.delete(node);
    return undefined;
  };
  const place = visit(start);
  if (place === undefined) return;
  throw new BuildError("STAGE_ORDER", `circular dependency detected on stage: ${start.shownName}`, {
    at: place,
    hint: "A stage can use only stages that are written before it",
  });
}

/** Gives an error that has no place yet the one it happened at. */
export function at<T>(place: SourceSpan | undefined, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw withPlace(error, place);
  }
}

/** The error with a place, where it is one of ours without. */
export function withPlace(error: unknown, place: SourceSpan | undefined): unknown {
  if (place === undefined || !(error instanceof StrakeError) || error.at !== undefined) return error;
  if (error instanceof DockerfileError) return error.located(place);
  return Object.defineProperty(error, "at", { value: place, enumerable: true });
}
