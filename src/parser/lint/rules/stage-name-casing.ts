import type { SourceSpan } from "../../../util/span.ts";
import type { InstructionNode } from "../../ast.ts";
import { toLowerSimple } from "../../text/case.ts";
import { buildCheck } from "../build-check.ts";
import type { Reporter } from "../reporter.ts";

export const stageNameCasing = buildCheck("StageNameCasing", "Stage names are lower case", {
  page: "stage-name-casing",
});

export function checkStageNameCasing(node: InstructionNode, range: SourceSpan, reporter: Reporter): void {
  const name = node.args[2];
  if (node.name !== "from" || node.args.length !== 3 || name === undefined || name === toLowerSimple(name))
    return;
  reporter.report(
    stageNameCasing,
    range,
    `Stage name '${name}' should be lowercase: '${toLowerSimple(name)}'`,
  );
}
