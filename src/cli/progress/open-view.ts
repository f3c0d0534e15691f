import type { CommandContext } from "../command.ts";
import { createView, type ProgressKind } from "./create-view.ts";
import { every, guardTerminal } from "./terminal-guard.ts";
import type { ProgressView, ViewContext } from "./view.ts";

/**
 * A view on this process's standard error.
 * @param logCommand see `ViewContext`; nothing is kept when absent
 */
export function openView(
  kind: ProgressKind,
  verb: string,
  { stderr, settings, nowMs }: Pick<CommandContext, "stderr" | "settings" | "nowMs">,
  logCommand: ViewContext["logCommand"] = () => undefined,
): Promise<ProgressView> {
  return createView(kind, { output: stderr, settings, nowMs, verb, logCommand, every, guardTerminal });
}
