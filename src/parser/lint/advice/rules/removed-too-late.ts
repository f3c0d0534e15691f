import { operandsOf } from "../../shell/invocation.ts";
import { type AdviceFinding, adviceRule } from "../advice.ts";
import { type CopiedPath, copiedPaths } from "../copied-paths.ts";
import { type FileView, joinPath } from "../file-view.ts";
import { findingOf } from "../finding.ts";

export const removedTooLate = adviceRule("RemovedTooLate", {
  level: "info",
  description:
    "Removing a file hides it, but the layer that brought it still has it: the image gets no smaller, and a secret no safer",
  fix: "Let the RUN that needs the file read it from a mount: RUN --mount=type=bind,source=FILE,target=/tmp/FILE",
  check: findRemoved,
});

function* findRemoved({ stages }: FileView): Generator<AdviceFinding> {
  for (const { commands } of stages.filter(({ isShipped }) => isShipped)) {
    const copied: CopiedPath[] = [];
    for (const command of commands) {
      copied.push(...copiedPaths(command).filter(({ path }) => path !== "/" && path !== "/tmp"));
      const hasMoved = command.invocations.some(({ program }) => program === "cd");
      for (const invocation of command.invocations) {
        if (invocation.program !== "rm") continue;
        for (const operand of operandsOf(invocation)) {
          if (hasMoved && !operand.text.startsWith("/")) continue;
          const removed = joinPath(command.workdir, operand.text);
          const found = removed === undefined ? undefined : copied.find((each) => each.path === removed);
          if (found === undefined) continue;
          const line = found.command.instruction.node.startLine;
          yield findingOf(
            command,
            invocation,
            `${removed} stays in the image: it came with the layer of line ${line}`,
          );
        }
      }
    }
  }
}
