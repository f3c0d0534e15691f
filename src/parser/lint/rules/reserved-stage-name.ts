import type { Stage } from "../../stage.ts";
import { buildCheck } from "../build-check.ts";
import { rangeOf } from "../range.ts";
import type { Reporter } from "../reporter.ts";

export const reservedStageName = buildCheck(
  "ReservedStageName",
  "No stage is named scratch or context, which mean something already",
  { page: "reserved-stage-name" },
);

const RESERVED: ReadonlySet<string> = new Set(["scratch", "context"]);

export function checkReservedNames(stages: readonly Stage[], reporter: Reporter): void {
  for (const { name, from } of stages) {
    if (name === undefined || !RESERVED.has(name)) continue;
    reporter.report(reservedStageName, rangeOf(from), `"${name}" is reserved and can't name a stage`);
  }
}
