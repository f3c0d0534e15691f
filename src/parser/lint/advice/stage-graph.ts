import { runMountSources } from "../../instructions/run.ts";
import type { Stage } from "../../stage.ts";

/** How stages hang together. Stages are told by their index. */
export interface StageGraph {
  /** Those that another one is built on or takes files from. */
  readonly used: ReadonlySet<number>;
  /** Those whose layers the last one has: itself, its base, the base of that. */
  readonly shipped: ReadonlySet<number>;
  readonly baseOf: (index: number) => number | undefined;
}

export function linkStages(stages: readonly Stage[]): StageGraph {
  const baseOf = (index: number): number | undefined =>
    findStage(stages, stages[index]?.baseName ?? "", index);
  const shipped = new Set<number>();
  for (let at: number | undefined = stages.length - 1; at !== undefined && at >= 0; at = baseOf(at))
    shipped.add(at);
  const used = new Set<number>();
  for (const [index, stage] of stages.entries()) {
    for (const name of sourceNames(stage)) {
      if (name.includes("$")) {
        // It may be any stage's.
        for (let each = 0; each < index; each++) used.add(each);
        continue;
      }
      const found = findStage(stages, name, index, true);
      if (found !== undefined && found < index) used.add(found);
    }
  }
  return { used, shipped, baseOf };
}

/** The last stage of that name before `before`; COPY --from may also count. */
function findStage(
  stages: readonly Stage[],
  name: string,
  before: number,
  mayCount = false,
): number | undefined {
  const wanted = name.toLowerCase();
  for (let index = before - 1; index >= 0; index--) if (stages[index]?.name === wanted) return index;
  return mayCount && /^\d+$/.test(name) ? Number(name) : undefined;
}

function sourceNames({ baseName, commands }: Stage): string[] {
  const names = commands.flatMap((command) => {
    if (command.kind === "COPY") return command.from ?? [];
    if (command.kind === "RUN") return runMountSources(command).filter((from) => from !== undefined);
    // A trigger runs in another build, or in a stage built on this one.
    return command.kind === "ONBUILD" ? (/--from=(\S+)/.exec(command.expression)?.[1] ?? []) : [];
  });
  return [baseName, ...names];
}
