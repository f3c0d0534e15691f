import type { Dockerfile } from "../../dockerfile.ts";
import { parseRunMounts, type RunMount, tryExpandWord } from "../../index.ts";
import type { Instruction } from "../../instructions/index.ts";
import type { Stage } from "../../stage.ts";
import { type Invocation, invocationOf } from "../shell/invocation.ts";
import { type RunScript, readShell, runScripts, type ShellMode } from "../shell/run-script.ts";
import { everyCommand } from "../shell/script.ts";
import { linkStages } from "./stage-graph.ts";

/** A RUN's program, with the script that it stands in. */
export interface RunInvocation extends Invocation {
  readonly script: RunScript;
}

/** An instruction with what holds where it stands. */
export interface CommandView {
  readonly instruction: Instruction;
  readonly stage: StageView;
  /** Of a RUN: what its shell does; empty for all others. */
  readonly scripts: readonly RunScript[];
  /** The programs of those scripts, also the ones inside of words. */
  readonly invocations: readonly RunInvocation[];
  readonly mounts: readonly RunMount[];
  /** Absolute; undefined where it depends on a variable or on the base image. */
  readonly workdir: string | undefined;
  /** As USER has it; undefined where no USER was seen. */
  readonly user: string | undefined;
  /** Whether ENV or ARG has set a variable so far. */
  readonly hasVariable: (name: string) => boolean;
}

export interface StageView {
  readonly stage: Stage;
  readonly index: number;
  /** The base's name with the defaults of ARGs in it; undefined where they leave something open. */
  readonly baseName: string | undefined;
  /** The stage it is built on. */
  readonly base: StageView | undefined;
  readonly commands: readonly CommandView[];
  /** Its layers are in the image that a build without --target makes. */
  readonly isShipped: boolean;
  /** Another stage is built on it, or takes files from it. */
  readonly isUsed: boolean;
}

/** A Dockerfile with what the rules want to know of it. */
export interface FileView {
  readonly dockerfile: Dockerfile;
  readonly stages: readonly StageView[];
}

interface State {
  shell: ShellMode | undefined;
  workdir: string | undefined;
  user: string | undefined;
  /** When each was first set, in instructions of the stage; one map for all of them, since copies would add up. */
  readonly variables: Map<string, number>;
  position: number;
}

/** Names of base images for Windows, where the shell is cmd. */
const FOR_WINDOWS = /windows|nanoserver/i;
const DEFAULT_SHELL: ShellMode = { name: "sh", errexit: false, pipefail: false };

export function viewFile(dockerfile: Dockerfile): FileView {
  const { stages } = dockerfile;
  const defaults = new Map(
    dockerfile.metaArgs.flatMap(({ args }) =>
      args.flatMap(({ key, value }) => (value === undefined ? [] : [[key, value]])),
    ),
  );
  const { used, shipped, baseOf } = linkStages(stages);
  const views: StageView[] = [];
  const ends: State[] = [];
  for (const [index, stage] of stages.entries()) {
    const baseIndex = baseOf(index);
    const state: State =
      baseIndex === undefined
        ? {
            shell: FOR_WINDOWS.test(stage.baseName) ? undefined : DEFAULT_SHELL,
            workdir: undefined,
            user: undefined,
            variables: new Map(),
            position: 0,
          }
        : inherit(ends[baseIndex] as State);
    const commands: CommandView[] = [];
    const view: StageView = {
      stage,
      index,
      baseName: expandDefaults(stage.baseName, defaults),
      base: baseIndex === undefined ? undefined : views[baseIndex],
      commands,
      isShipped: shipped.has(index),
      isUsed: used.has(index),
    };
    for (const instruction of stage.commands) {
      commands.push(viewCommand(instruction, { dockerfile, stage: view, state }));
      follow(instruction, state);
      state.position++;
    }
    views.push(view);
    ends.push(state);
  }
  return { dockerfile, stages: views };
}

function viewCommand(
  instruction: Instruction,
  {
    dockerfile,
    stage,
    state,
  }: { readonly dockerfile: Dockerfile; readonly stage: StageView; readonly state: State },
): CommandView {
  const { workdir, user, variables, position, shell } = state;
  const hasVariable = (name: string): boolean => (variables.get(name) ?? position) < position;
  const common = { instruction, stage, workdir, user, hasVariable };
  if (instruction.kind !== "RUN") return { ...common, scripts: [], invocations: [], mounts: [] };
  const scripts = runScripts(instruction, { shell, source: dockerfile.source, escape: dockerfile.escape });
  return {
    ...common,
    scripts,
    invocations: scripts.flatMap((script) =>
      Array.from(everyCommand(script.script.commands), invocationOf).flatMap((found) =>
        found === undefined ? [] : [{ ...found, script }],
      ),
    ),
    mounts: readMounts(instruction.mounts),
  };
}

function readMounts(values: readonly string[]): readonly RunMount[] {
  return values.flatMap((value) => {
    try {
      return parseRunMounts([value], (word) => word);
    } catch {
      // What is wrong with it is for the build checks to say.
      return [];
    }
  });
}

function follow(instruction: Instruction, state: State): void {
  switch (instruction.kind) {
    case "SHELL":
      state.shell = readShell(instruction.shell);
      return;
    case "USER":
      state.user = instruction.user;
      return;
    case "WORKDIR":
      state.workdir = joinPath(state.workdir, instruction.path);
      return;
    case "ENV":
      for (const { key } of instruction.pairs) setVariable(state, key);
      return;
    case "ARG":
      for (const { key } of instruction.args) setVariable(state, key);
      return;
    default:
      return;
  }
}

function setVariable({ variables, position }: State, name: string): void {
  if (!variables.has(name)) variables.set(name, position);
}

/** Where a stage begins that is built on another one. */
function inherit(base: State): State {
  const variables = new Map([...base.variables.keys()].map((name) => [name, -1]));
  return { ...base, variables, position: 0 };
}

/** A path seen from a folder; undefined where a variable is in it, or the folder isn't known. */
export function joinPath(folder: string | undefined, path: string): string | undefined {
  if (path.includes("$")) return undefined;
  const bare = path.replace(/^(["'])(.*)\1$/, "$2");
  if (!bare.startsWith("/") && folder === undefined) return undefined;
  const parts: string[] = [];
  for (const part of `${bare.startsWith("/") ? "" : folder}/${bare}`.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** A word with the defaults of ARGs; undefined where one has none. */
function expandDefaults(word: string, defaults: ReadonlyMap<string, string>): string | undefined {
  const { word: expanded, unmatched, error } = tryExpandWord(word, defaults);
  return error === undefined && unmatched.length === 0 ? expanded : undefined;
}
