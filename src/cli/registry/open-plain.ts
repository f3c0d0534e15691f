import type { RegistryClient, RegistryEvent } from "../../registry/index.ts";
import type { CommandContext } from "../command.ts";
import { oneLine } from "../text.ts";
import { openRegistry } from "./open-registry.ts";

/** A registry client for a command without a view of its progress: what is worth a line goes to standard error. */
export async function openPlainRegistry({
  settings,
  stderr,
}: Pick<CommandContext, "settings" | "stderr">): Promise<RegistryClient> {
  return await openRegistry(settings, (event) => {
    const line = lineOf(event);
    if (line !== undefined) stderr.write(`${oneLine(line)}\n`);
  });
}

function lineOf(event: RegistryEvent): string | undefined {
  switch (event.kind) {
    case "warning":
      return `warning: ${event.registry}: ${event.text}`;
    case "waiting":
      return `Waiting ${(event.waitMs / 1000).toFixed(1)}s for ${event.registry}: ${event.reason}`;
    default:
      return undefined;
  }
}
