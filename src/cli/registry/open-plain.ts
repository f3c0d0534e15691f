import type { OnRegistryEvent, RegistryClient, RegistryEvent } from "../../registry/index.ts";
import type { CommandContext } from "../command.ts";
import { oneLine } from "../text.ts";
import { openRegistry } from "./open-registry.ts";

const TOLD_FROM_MS = 1000;

/** A registry client for a command without a view of its progress. */
export async function openPlainRegistry(
  context: Pick<CommandContext, "settings" | "stderr">,
): Promise<RegistryClient> {
  return await openRegistry(context.settings, plainListener(context));
}

/** Tells what is worth a line, on standard error. */
export function plainListener({ stderr }: Pick<CommandContext, "stderr">): OnRegistryEvent {
  return (event) => {
    const line = lineOf(event);
    if (line !== undefined) stderr.write(`${oneLine(line)}\n`);
  };
}

function lineOf(event: RegistryEvent): string | undefined {
  switch (event.kind) {
    case "warning":
      return `warning: ${event.registry}: ${event.text}`;
    case "retried":
      // The first tries are made within a second; what lasts longer a person wants to know.
      return event.waitMs < TOLD_FROM_MS
        ? undefined
        : `Trying again in ${(event.waitMs / 1000).toFixed(1)}s: ${event.request}: ${event.reason}`;
    default:
      return undefined;
  }
}
