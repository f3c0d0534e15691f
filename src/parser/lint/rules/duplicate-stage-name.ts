import type { Stage } from "../../stage.ts";
import { buildCheck } from "../build-check.ts";
import { rangeOf } from "../range.ts";
import type { Reporter } from "../reporter.ts";

export const duplicateStageName = buildCheck("DuplicateStageName", "No two stages have the same name", {
  page: "duplicate-stage-name",
});

export function checkDuplicateNames(stages: readonly Stage[], reporter: Reporter): void {
  const seen = new Set<string>();
  for (const { name, from } of stages) {
    if (name === undefined) continue;
    if (seen.has(name)) {
      reporter.report(
        duplicateStageName,
        rangeOf(from),
        `There is a stage "${name}" already; from here on this one is meant`,
      );
    }
    seen.add(name);
  }
}
