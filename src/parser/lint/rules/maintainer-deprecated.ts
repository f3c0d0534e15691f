import type { SourceSpan } from "../../../util/span.ts";
import type { InstructionNode } from "../../ast.ts";
import { buildCheck } from "../build-check.ts";
import type { Reporter } from "../reporter.ts";

export const maintainerDeprecated = buildCheck(
  "MaintainerDeprecated",
  "MAINTAINER is deprecated; a label does the same",
  { page: "maintainer-deprecated" },
);

export function checkMaintainer(node: InstructionNode, range: SourceSpan, reporter: Reporter): void {
  if (node.name !== "maintainer") return;
  reporter.report(
    maintainerDeprecated,
    range,
    'MAINTAINER is deprecated; write LABEL org.opencontainers.image.authors="…"',
  );
}
