import type { SourceSpan } from "../../../util/span.ts";
import type { InstructionNode } from "../../ast.ts";
import { toLowerSimple, toUpperSimple } from "../../text/case.ts";
import { buildCheck } from "../build-check.ts";
import type { Reporter } from "../reporter.ts";

export const fromAsCasing = buildCheck("FromAsCasing", "The words FROM and AS are written in the same case", {
  page: "from-as-casing",
});

/** Of a FROM in mixed case, ConsistentInstructionCasing has enough to say. */
export function checkFromAsCasing(node: InstructionNode, range: SourceSpan, reporter: Reporter): void {
  const as = node.args[1];
  if (node.name !== "from" || node.args.length < 3 || as === undefined) return;
  const from = node.keyword;
  const isLower = from === toLowerSimple(from);
  if (!isLower && from !== toUpperSimple(from)) return;
  if (as === (isLower ? toLowerSimple(as) : toUpperSimple(as))) return;
  reporter.report(fromAsCasing, range, `'${as}' and '${from}' are not in the same case`);
}
