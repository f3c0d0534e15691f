import type { SourceSpan } from "../../../util/span.ts";
import type { CmdInstruction } from "../../instructions/cmd.ts";
import type { EntrypointInstruction } from "../../instructions/entrypoint.ts";
import { buildCheck } from "../build-check.ts";
import type { Reporter } from "../reporter.ts";

export const jsonArgsRecommended = buildCheck(
  "JSONArgsRecommended",
  "CMD and ENTRYPOINT are written as JSON, so that the program gets signals itself instead of a shell",
  { page: "json-args-recommended" },
);

/** Not for a stage with a SHELL of its own: its author wants that shell. */
export function checkJsonArgs(
  instruction: CmdInstruction | EntrypointInstruction,
  hasShell: boolean,
  range: SourceSpan,
  reporter: Reporter,
): void {
  if (!instruction.isShellForm || hasShell) return;
  reporter.report(
    jsonArgsRecommended,
    range,
    `JSON arguments are better for ${instruction.keyword}: with a shell in between, signals do not arrive`,
  );
}
