import type { Platform } from "../../oci/index.ts";
import type { Instruction, OnbuildInstruction } from "../../parser/index.ts";
import type { SourceSpan } from "../../util/span.ts";
import type { ResolvedImage } from "../resolved-image.ts";
import type { ContextSource } from "../types.ts";
import type { StageState } from "./planned-stage.ts";
import type { ContextVertex, StateVertex } from "./vertex.ts";

/** An instruction of a stage with the stages it reads. */
export interface StageCommand {
  readonly instruction: Instruction;
  readonly at: SourceSpan;
  /** COPY --from: one; RUN: one for each mount, in order; undefined where a mount reads no stage. */
  readonly sources: readonly (StageNode | undefined)[];
  /** It comes from the base image's ONBUILD. */
  readonly isTrigger: boolean;
}

/** What a stage stands on. */
export type StageBase =
  | { readonly kind: "stage"; readonly stage: StageNode }
  | { readonly kind: "scratch" }
  /** By name: an image, unless a named context replaces it. */
  | { readonly kind: "name" };

/** A stage while it is being planned, or an image or context that an instruction names as if it were one. */
export interface StageNode {
  /** As shown: its name, or `stage-N`. */
  readonly shownName: string;
  /** The name it can be called by, lower case. */
  readonly name: string | undefined;
  /** The base's name, expanded. */
  readonly baseName: string;
  /** The variables in the base's name that have no value. */
  readonly unsetInBase: readonly string[];
  readonly base: StageBase;
  readonly at: SourceSpan | undefined;
  readonly platform: Platform | undefined;
  /** The context given on the command line that stands for this stage. */
  readonly namedContext: ContextSource | undefined;
  /** False for what an instruction names without a stage of that name being there. */
  readonly isDeclared: boolean;
  commands: readonly StageCommand[];
  /** What its base was resolved to; set while images are looked up. */
  resolved: ResolvedBase | undefined;
  /** The base's triggers have been put in front of the commands. */
  isTriggered: boolean;
  /** Set when its instructions have been planned. */
  state: StageState | undefined;
  /** What a COPY --from or a mount of it reads. */
  result: ContextVertex | StateVertex | undefined;
}

export type ResolvedBase =
  | { readonly kind: "image"; readonly key: string; readonly image: ResolvedImage }
  | { readonly kind: "context"; readonly source: ContextSource };

/** The stages and images that a stage reads, its base included. */
export function dependenciesOf(
  node: StageNode,
): readonly { readonly node: StageNode; readonly at: SourceSpan }[] {
  const reads = node.commands.flatMap(({ sources, at }) =>
    sources.flatMap((source) => (source === undefined ? [] : [{ node: source, at }])),
  );
  if (node.base.kind !== "stage" || node.at === undefined) return reads;
  return [{ node: node.base.stage, at: node.at }, ...reads];
}

/** Everything that building `target` needs, itself included. */
export function reachableFrom(target: StageNode): ReadonlySet<StageNode> {
  const reached = new Set<StageNode>();
  const waiting = [target];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (reached.has(node)) continue;
    reached.add(node);
    for (const dependency of dependenciesOf(node)) waiting.push(dependency.node);
  }
  return reached;
}

/** The triggers that a stage built on this one runs: what its own instructions say. */
export function ownTriggers(node: StageNode): readonly string[] {
  return node.commands
    .map(({ instruction }) => instruction)
    .filter((instruction): instruction is OnbuildInstruction => instruction.kind === "ONBUILD")
    .map(({ expression }) => expression);
}
