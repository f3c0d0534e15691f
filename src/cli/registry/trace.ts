import { openSync, writeSync } from "node:fs";
import type { OnRegistryEvent, RegistryEvent } from "../../registry/index.ts";
import { CliError } from "../error.ts";
import { oneLine } from "../text.ts";

const STDERR = 2;

/**
 * Notes every request and what came of it in a file, a line each: to see what goes on between a registry and us. Neither
 * credentials nor queries, which storages put signatures in, get there.
 * @throws {CliError} INPUT_UNUSABLE
 */
export function createTrace(path: string, now: () => Date = () => new Date()): OnRegistryEvent {
  let file: number;
  try {
    // A second opening of a file that standard error goes to would write over what is there.
    file = path === "/dev/stderr" ? STDERR : openSync(path, "a", 0o600);
  } catch (error) {
    throw new CliError("INPUT_UNUSABLE", `Cannot write "${path}": ${(error as Error).message}`, {
      hint: "STRAKE_REGISTRY_LOG names it",
    });
  }
  return (event) => {
    const line = lineOf(event);
    if (line !== undefined) writeSync(file, `${now().toISOString()} ${oneLine(line)}\n`);
  };
}

function lineOf(event: RegistryEvent): string | undefined {
  switch (event.kind) {
    case "request":
      return `${event.method} ${event.url} -> ${event.status} in ${Math.round(event.durationMs)} ms`;
    case "authorized":
      return `${event.registry} wants a login: ${event.origin === undefined ? "none is known, going on without" : `using the one from ${event.origin}`}`;
    case "retried":
      return `again in ${(event.waitMs / 1000).toFixed(1)} s, after ${event.attempt} in vain: ${event.request}: ${event.reason}`;
    case "waiting":
      return `${event.registry} wants a pause of ${(event.waitMs / 1000).toFixed(1)} s: ${event.reason}`;
    case "warning":
      return `warning: ${event.registry}: ${event.text}`;
    case "blob-skipped":
      return `${event.registry}/${event.repository}@${event.digest} is already there`;
    case "blob-mounted":
      return `${event.registry}/${event.repository}@${event.digest} mounted from ${event.from}`;
    default:
      return undefined;
  }
}
