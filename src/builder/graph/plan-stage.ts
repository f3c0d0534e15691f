import type { Platform } from "../../oci/index.ts";
import type {
  AddInstruction,
  CopyInstruction,
  Instruction,
  RunInstruction,
  WorkdirInstruction,
} from "../../parser/index.ts";
import { BuildError } from "../error.ts";
import { redactCredentials } from "../redact-url.ts";
import type { BuildOptions } from "../types.ts";
import {
  applyArg,
  applyCmd,
  applyEntrypoint,
  applyEnv,
  applyExpose,
  applyHealthcheck,
  applyLabel,
  applyOnbuild,
  applyShell,
  applyStopSignal,
  applyUser,
  applyVolume,
  applyWorkdir,
} from "./dispatch-config.ts";
import { planCopyInstruction } from "./dispatch-copy.ts";
import { planRunInstruction } from "./dispatch-run.ts";
import type { EnvList } from "./env-list.ts";
import type { GraphBuilder } from "./graph-builder.ts";
import { cleanPath } from "./paths.ts";
import type { StageState } from "./planned-stage.ts";
import { withPlace } from "./stage-graph.ts";
import type { StageCommand, StageNode } from "./stage-node.ts";
import type { ContextVertex, StateVertex } from "./vertex.ts";
import type { WordExpander } from "./word-expander.ts";

/** What planning a stage needs to know of its build. */
export interface StagePlanOptions
  extends Pick<BuildOptions, "buildArgs" | "network" | "shmSizeBytes" | "ulimits" | "extraHosts" | "allow"> {
  readonly graph: GraphBuilder;
  readonly words: WordExpander;
  readonly globalArgs: EnvList;
  readonly context: ContextVertex;
  readonly proxyEnv: readonly string[];
  readonly epochSeconds: number | undefined;
  /** Set when several platforms are built at once: step names then say which. */
  readonly shownPlatform: string | undefined;
  /** False for the only stage of a Dockerfile: its name says nothing. */
  readonly isStageShown: boolean;
  readonly ignoreCache: boolean;
}

/**
 * Turns the instructions of a stage into vertices and config, starting from `state`, which it changes.
 * @throws {BuildError} DOCKERFILE_INVALID, STAGE_ORDER, NOT_ALLOWED; {DockerfileError} from expansion: all with a place
 */
export function planStage(node: StageNode, state: StageState, options: StagePlanOptions): void {
  const planner = new StagePlanner(node, state, options);
  for (const command of node.commands) {
    try {
      planner.apply(command);
    } catch (error) {
      throw withPlace(error, command.at);
    }
  }
}

class StagePlanner {
  readonly #node: StageNode;
  readonly #state: StageState;
  readonly #options: StagePlanOptions;
  readonly #stepsTotal: number;
  #steps: number;

  constructor(node: StageNode, state: StageState, options: StagePlanOptions) {
    this.#node = node;
    this.#state = state;
    this.#options = options;
    this.#steps = hasOwnBase(node) ? 1 : 0;
    this.#stepsTotal = countSteps(node);
  }

  apply(command: StageCommand): void {
    const createdBy = this.#apply(command);
    if (createdBy === undefined) return;
    const { instruction } = command;
    const emptyLayer =
      !isStep(instruction) || (instruction.kind === "WORKDIR" && this.#state.config.WorkingDir === "/");
    this.#state.history = [...this.#state.history, { createdBy, emptyLayer }];
  }

  /** Returns the text of the history entry; ONBUILD makes none. */
  #apply(command: StageCommand): string | undefined {
    const { instruction } = command;
    const { words } = this.#options;
    const state = this.#state;
    switch (instruction.kind) {
      case "ENV":
        return applyEnv(state, instruction, words);
      case "LABEL":
        return applyLabel(state, instruction, words);
      case "ARG":
        return applyArg(state, instruction, words, this.#options);
      case "CMD":
        return applyCmd(state, instruction);
      case "ENTRYPOINT":
        return applyEntrypoint(state, instruction);
      case "HEALTHCHECK":
        return applyHealthcheck(state, instruction);
      case "EXPOSE":
        return applyExpose(state, instruction, words);
      case "VOLUME":
        return applyVolume(state, instruction, words);
      case "MAINTAINER":
        state.author = instruction.maintainer;
        return `MAINTAINER ${instruction.maintainer}`;
      case "SHELL":
        return applyShell(state, instruction);
      case "STOPSIGNAL":
        return applyStopSignal(state, instruction, words);
      case "USER":
        return applyUser(state, instruction, words);
      case "ONBUILD":
        applyOnbuild(state, instruction);
        return undefined;
      case "WORKDIR":
        return this.#workdir(instruction, command);
      case "COPY":
      case "ADD":
        return this.#copy(instruction, command);
      case "RUN":
        return this.#run(instruction, command);
      default:
        return instruction satisfies never;
    }
  }

  #workdir(instruction: WorkdirInstruction, command: StageCommand): string {
    const state = this.#state;
    const createdBy = applyWorkdir(state, instruction, this.#options.words);
    const path = state.config.WorkingDir ?? "/";
    if (path !== "/") {
      state.vertex = this.#options.graph.add({
        kind: "workdir",
        name: this.#name(createdBy, command),
        at: command.at,
        input: state.vertex,
        path: cleanPath(path, "/"),
        user: state.config.User ?? "",
        ignoreCache: this.#options.ignoreCache,
        ...this.#epoch(),
      });
    }
    return createdBy;
  }

  #copy(instruction: CopyInstruction | AddInstruction, command: StageCommand): string {
    const state = this.#state;
    const [source] = command.sources;
    const from = source === undefined ? this.#options.context : this.#resultOf(source, "copy");
    const { createdBy, ...planned } = planCopyInstruction(state, instruction, from, this.#options.words);
    state.vertex = this.#options.graph.add({
      kind: "copy",
      name: this.#name(redactCredentials(this.#shown(instruction)), command),
      at: command.at,
      instruction: instruction.kind,
      input: state.vertex,
      ...planned,
      link: instruction.link && planned.chmod === undefined,
      ignoreCache: this.#options.ignoreCache,
      ...this.#epoch(),
    });
    return createdBy;
  }

  #run(instruction: RunInstruction, command: StageCommand): string {
    const state = this.#state;
    const options = this.#options;
    if (instruction.security === "insecure") this.#checkAllowed("security.insecure", command);
    const planned = planRunInstruction(state, instruction, {
      words: options.words,
      sourceOf: (index, from, target) => {
        const source = command.sources[index];
        if (from === undefined || source === undefined) return options.context;
        return this.#resultOf(source, "mount", target);
      },
      cacheNamespace: options.buildArgs["BUILDKIT_CACHE_MOUNT_NS"],
    });
    const hostname = options.buildArgs["BUILDKIT_SANDBOX_HOSTNAME"];
    state.vertex = options.graph.add({
      kind: "exec",
      name: this.#name(this.#shown(instruction), command),
      at: command.at,
      input: state.vertex,
      argv: planned.argv,
      env: state.env.entries(),
      proxyEnv: options.proxyEnv,
      cwd: cleanPath(state.config.WorkingDir ?? "/", "/"),
      user: state.config.User ?? "",
      mounts: planned.mounts,
      network: instruction.network === "default" ? options.network : instruction.network,
      insecure: instruction.security === "insecure",
      ignoreCache: options.ignoreCache,
      platform: state.platform,
      shmSizeBytes: options.shmSizeBytes,
      ulimits: options.ulimits,
      extraHosts: options.extraHosts,
      ...(hostname === undefined || hostname === "" ? {} : { hostname }),
    });
    return planned.createdBy;
  }

  #resultOf(source: StageNode, use: "copy" | "mount", target = ""): ContextVertex | StateVertex {
    if (source.result !== undefined) return source.result;
    const message =
      use === "copy"
        ? `cannot copy from stage "${source.shownName}", it needs to be defined before current stage "${this.#node.shownName}"`
        : `cannot mount from stage "${source.shownName}" to "${target}", stage needs to be defined before current command`;
    throw new BuildError("STAGE_ORDER", message, {
      hint: `Move the stage ${source.shownName} up, before the stage that uses it`,
    });
  }

  #checkAllowed(entitlement: string, command: StageCommand): void {
    if (this.#options.allow.includes(entitlement)) return;
    throw new BuildError("NOT_ALLOWED", `${entitlement} is not allowed`, {
      at: command.at,
      hint: `If you trust this Dockerfile, build with --allow ${entitlement}`,
    });
  }

  #epoch(): { readonly epochSeconds?: number } {
    const { epochSeconds } = this.#options;
    return epochSeconds === undefined ? {} : { epochSeconds };
  }

  /** The instruction in one line, variables replaced where they have a value. */
  #shown(instruction: CopyInstruction | AddInstruction | RunInstruction): string {
    return this.#options.words.expandForDisplay(instruction.code, this.#state.env);
  }

  #name(text: string, command: StageCommand): string {
    this.#steps++;
    const place = { number: this.#steps, total: this.#stepsTotal };
    return stepName(this.#node, command.isTrigger ? `ONBUILD ${text}` : text, { ...this.#options, ...place });
  }
}

/** A step as it is shown: `[build 2/5] RUN npm ci`. */
export function stepName(
  node: StageNode,
  text: string,
  place: Pick<StagePlanOptions, "shownPlatform" | "isStageShown"> & {
    readonly number: number;
    readonly total: number;
  },
): string {
  const { shownPlatform, isStageShown, number, total } = place;
  const parts = [
    ...(shownPlatform === undefined ? [] : [shownPlatform]),
    ...(isStageShown ? [node.shownName] : []),
    `${String(number).padStart(String(total).length)}/${total}`,
  ];
  return `[${parts.join(" ")}] ${text}`;
}

/** How many steps a stage has; a base image counts as one. */
export function countSteps(node: StageNode): number {
  return (hasOwnBase(node) ? 1 : 0) + node.commands.filter(({ instruction }) => isStep(instruction)).length;
}

function hasOwnBase(node: StageNode): boolean {
  return node.base.kind === "name" && node.namedContext === undefined;
}

/** Whether the instruction makes a layer (but for `WORKDIR /`). */
function isStep({ kind }: Instruction): boolean {
  return kind === "RUN" || kind === "COPY" || kind === "ADD" || kind === "WORKDIR";
}

/** The platform a stage is for: its own, else the target's. */
export function stagePlatform(node: StageNode, target: Platform): Platform {
  return node.platform ?? target;
}
