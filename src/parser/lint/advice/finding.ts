import type { Range } from "../../source.ts";
import type { RunScript } from "../shell/run-script.ts";
import type { AdviceFinding } from "./advice.ts";
import type { CommandView, RunInvocation } from "./file-view.ts";

/** About an instruction as a whole, or a part of it. */
export function findingAt(command: CommandView, message: string, range?: Range): AdviceFinding {
  const { node, comments } = command.instruction;
  return { message, range: range ?? node.range, comments };
}

/** About a part of what a RUN has its shell do. */
export function findingIn(
  command: CommandView,
  part: { readonly script: RunScript; readonly start: number; readonly end: number },
  message: string,
): AdviceFinding {
  return findingAt(command, message, part.script.locate(part.start, part.end));
}

/** About a program that a RUN starts. */
export function findingOf(command: CommandView, invocation: RunInvocation, message: string): AdviceFinding {
  const { script, command: written } = invocation;
  // What stands in backticks or a word inside of quotes has no place of its own that is worth showing.
  return findingIn(command, { script, start: written.start, end: written.end }, message);
}
