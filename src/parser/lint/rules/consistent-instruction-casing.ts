import type { InstructionBase } from "../../instructions/base.ts";
import type { Stage } from "../../stage.ts";
import { toLowerSimple, toUpperSimple } from "../../text/case.ts";
import { buildCheck } from "../build-check.ts";
import { rangeOf } from "../range.ts";
import type { Reporter } from "../reporter.ts";

export const consistentInstructionCasing = buildCheck(
  "ConsistentInstructionCasing",
  "All instructions are written in the same case, upper or lower",
  { page: "consistent-instruction-casing" },
);

/** What most instructions have is right; a draw goes to upper case. ARGs before the first FROM do not count. */
export function checkInstructionCasing(stages: readonly Stage[], reporter: Reporter): void {
  const instructions: InstructionBase[] = [];
  for (const { from, commands } of stages) instructions.push(from, ...commands);
  let lower = 0;
  let upper = 0;
  for (const { keyword } of instructions) {
    if (keyword === toLowerSimple(keyword)) lower++;
    else if (keyword === toUpperSimple(keyword)) upper++;
  }
  const convert = lower > upper ? toLowerSimple : toUpperSimple;
  for (const instruction of instructions) {
    const { keyword } = instruction;
    if (keyword === convert(keyword)) continue;
    reporter.report(
      consistentInstructionCasing,
      rangeOf(instruction),
      `'${keyword}' should be in ${lower > upper ? "lowercase" : "uppercase"} as most of the instructions are`,
    );
  }
}
