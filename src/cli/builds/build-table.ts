import { type BuildRecord, readSteps, type StepRecord } from "../../builder/records/index.ts";
import { formatSeconds } from "../progress/format.ts";
import { formatAgo } from "../tables/ago.ts";
import { formatTable } from "../tables/table.ts";

/** The builds that a store remembers, a line each. */
export function formatBuildTable(
  builds: readonly BuildRecord[],
  { storeRoot, now }: { readonly storeRoot: string; readonly now: number },
): string {
  const rows = builds.map((build) => [
    build.id,
    formatAgo(build.startedAt, now),
    build.status,
    tookText(build),
    stepsText(readSteps(storeRoot, build)),
    build.names[0] ?? `${build.dockerfile}${build.target === undefined ? "" : ` (${build.target})`}`,
  ]);
  return formatTable(["BUILD", "STARTED", "STATUS", "TOOK", "STEPS", "WHAT"], rows);
}

function tookText({ startedAt, finishedAt }: BuildRecord): string {
  return finishedAt === undefined ? "" : formatSeconds(Date.parse(finishedAt) - Date.parse(startedAt));
}

function stepsText(steps: readonly StepRecord[]): string {
  const cached = steps.filter(({ outcome }) => outcome === "cached").length;
  return cached === 0 ? `${steps.length}` : `${steps.length}, ${cached} cached`;
}
