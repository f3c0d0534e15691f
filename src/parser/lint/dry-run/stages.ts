import type { SourceSpan } from "../../../util/span.ts";
import type { Instruction } from "../../instructions/index.ts";
import type { Stage } from "../../stage.ts";
import type { PlatformName } from "./platform-name.ts";
import type { Variables } from "./variables.ts";

/** An instruction of a stage, with the stages it takes files from. */
export interface PlannedCommand {
  readonly instruction: Instruction;
  readonly range: SourceSpan;
  /** COPY --from: one; RUN: one for each mount. */
  readonly sources: readonly PlannedStage[];
}

/** A stage on its way through a dry run; also an image that an instruction names without a stage for it. */
export interface PlannedStage {
  /** undefined for an image that is no stage. */
  readonly stage: Stage | undefined;
  readonly shownName: string;
  /** Expanded. */
  readonly baseName: string;
  readonly base: PlannedStage | undefined;
  readonly range: SourceSpan | undefined;
  readonly platform: PlatformName;
  commands: readonly PlannedCommand[];
  isTriggered: boolean;
  /** Its files can be taken. */
  isReady: boolean;
  state: StageState | undefined;
}

/** What a stage's instructions have made of it. */
export interface StageState {
  readonly variables: Variables;
  /** ARGs declared so far, with or without a value. */
  readonly args: Set<string>;
  workdir: string;
  isWorkdirSet: boolean;
  hasShell: boolean;
}

/** The stages in order, and by name; a later one takes over the name of an earlier. */
export class StageList {
  readonly all: PlannedStage[] = [];
  readonly #byName = new Map<string, PlannedStage>();

  add(planned: PlannedStage): void {
    this.all.push(planned);
    const name = planned.stage?.name;
    if (name !== undefined) this.#byName.set(name, planned);
  }

  /** A base is found by its exact name. */
  base(name: string): PlannedStage | undefined {
    return this.#byName.get(name);
  }

  find(name: string): PlannedStage | undefined {
    return this.#byName.get(name.toLowerCase());
  }

  names(): Iterable<string> {
    return this.#byName.keys();
  }
}

/** Everything that a stage needs, itself included. */
export function reachableFrom(target: PlannedStage): ReadonlySet<PlannedStage> {
  const reached = new Set<PlannedStage>();
  const waiting = [target];
  for (let stage = waiting.pop(); stage !== undefined; stage = waiting.pop()) {
    if (reached.has(stage)) continue;
    reached.add(stage);
    if (stage.base !== undefined) waiting.push(stage.base);
    for (const { sources } of stage.commands) waiting.push(...sources);
  }
  return reached;
}

/**
 * Whether stages take files from each other in a circle: the stage from which it was found, and the first of the
 * instructions on the way.
 */
export function findCircle(
  stages: readonly PlannedStage[],
): { readonly stage: PlannedStage; readonly range: SourceSpan } | undefined {
  const done = new Set<PlannedStage>();
  for (const start of stages) {
    if (done.has(start)) continue;
    done.add(start);
    const open = new Set([start]);
    // By hand, because a chain of stages can be longer than the stack.
    const path: Step[] = [{ stage: start, via: undefined, edges: edgesOf(start) }];
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const edge = top.edges.pop();
      if (edge === undefined) {
        open.delete(top.stage);
        path.pop();
      } else if (open.has(edge.stage)) {
        return { stage: start, range: earliest([...path.flatMap(({ via }) => via ?? []), edge.range]) };
      } else if (!done.has(edge.stage)) {
        done.add(edge.stage);
        open.add(edge.stage);
        path.push({ stage: edge.stage, via: edge.range, edges: edgesOf(edge.stage) });
      }
    }
  }
  return undefined;
}

interface Edge {
  readonly stage: PlannedStage;
  readonly range: SourceSpan;
}

interface Step {
  readonly stage: PlannedStage;
  readonly via: SourceSpan | undefined;
  readonly edges: Edge[];
}

function edgesOf({ commands }: PlannedStage): Edge[] {
  return commands.flatMap(({ sources, range }) => sources.map((stage) => ({ stage, range })));
}

function earliest(ranges: readonly SourceSpan[]): SourceSpan {
  return ranges.reduce((first, range) => (range.startLine < first.startLine ? range : first));
}
