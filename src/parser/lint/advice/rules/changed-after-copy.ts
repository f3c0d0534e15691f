import { hasFlag, operandsOf } from "../../shell/invocation.ts";
import { type AdviceFinding, adviceRule } from "../advice.ts";
import { type CopiedPath, copiedPaths } from "../copied-paths.ts";
import { type FileView, joinPath } from "../file-view.ts";
import { findingOf } from "../finding.ts";

export const changedAfterCopy = adviceRule("ChangedAfterCopy", {
  level: "warning",
  description:
    "A change of owner or mode writes every file into the layer once more, so that the image has them twice",
  fix: "Write COPY --chown=… or COPY --chmod=…",
  check: findChanged,
});

function* findChanged({ stages }: FileView): Generator<AdviceFinding> {
  for (const { commands } of stages.filter(({ isShipped }) => isShipped)) {
    const copied: CopiedPath[] = [];
    for (const command of commands) {
      copied.push(...copiedPaths(command));
      for (const invocation of command.invocations) {
        const { program } = invocation;
        if (program !== "chown" && program !== "chmod" && program !== "chgrp") continue;
        if (!hasFlag(invocation, "recursive", "R")) continue;
        // The first operand is the owner or mode; a folder that the script went to isn't known here.
        const operands = operandsOf(invocation).slice(1);
        const hasMoved = command.invocations.some((each) => each.program === "cd");
        const paths = operands.flatMap(({ text }) => {
          const path = text.replace(/\/\*?$/, "");
          return (
            (hasMoved && !path.startsWith("/") ? undefined : joinPath(command.workdir, path || "/")) ?? []
          );
        });
        const found = copied.find((each) => paths.some((path) => isWithin(each.path, path)));
        if (found === undefined) continue;
        const flag = program === "chmod" ? "--chmod" : "--chown";
        const line = found.command.instruction.node.startLine;
        yield findingOf(
          command,
          invocation,
          `All that line ${line} has copied to ${found.path} is in the image twice; ${flag} there does it once`,
        );
      }
    }
  }
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || folder === "/" || path.startsWith(`${folder}/`);
}
