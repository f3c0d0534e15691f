import type { CommandContext } from "../command.ts";
import { createView, type ProgressKind } from "./create-view.ts";
import { every, guardTerminal } from "./terminal-guard.ts";
import type { ProgressView } from "./view.ts";

/** A view on this process's standard error. */
export function openView(
  kind: ProgressKind,
  verb: string,
  { stderr, settings, nowMs }: Pick<CommandContext, "stderr" | "settings" | "nowMs">,
): Promise<ProgressView> {
  return createView(kind, { output: stderr, settings, nowMs, verb, every, guardTerminal });
}
