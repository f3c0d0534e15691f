import { runMountSources } from "../../index.ts";
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
  const used = new Set<number>();
  const bases: (number | undefined)[] = [];
  // The stages before the current one, by name: of two with one name the later.
  const byName = new Map<string, number>();
  let anyBefore = 0;
  for (const [index, stage] of stages.entries()) {
    bases.push(byName.get(stage.baseName.toLowerCase()));
    for (const name of sourceNames(stage)) {
      // With a variable in it, it may be any stage's.
      if (name.includes("$")) anyBefore = index;
      const found = byName.get(name.toLowerCase()) ?? (/^\d+$/.test(name) ? Number(name) : undefined);
      if (found !== undefined && found < index) used.add(found);
    }
    if (stage.name !== undefined) byName.set(stage.name, index);
  }
  for (let index = 0; index < anyBefore; index++) used.add(index);
  const shipped = new Set<number>();
  for (let at: number | undefined = stages.length - 1; at !== undefined && at >= 0; at = bases[at])
    shipped.add(at);
  return { used, shipped, baseOf: (index) => bases[index] };
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
