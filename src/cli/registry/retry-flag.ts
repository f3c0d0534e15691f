import { parseDurationMs } from "../args/duration.ts";
import type { OptionTable } from "../args/option-table.ts";
import type { CommandContext } from "../command.ts";
import type { Settings } from "../environment.ts";

/** For every command that speaks with registries; `main` hands the value on in the settings. */
export const RETRY_FLAGS = {
  "retry-timeout": {
    type: "string",
    value: "DURATION",
    default: "$STRAKE_RETRY_TIMEOUT, else ten tries, 10m at most",
    summary: "How long to go on trying while a registry fails: 90s, 1h; 0 tries once",
  },
} as const satisfies OptionTable;

/** The same context, for a command line with `--retry-timeout`. @throws {CliError} USAGE */
export function withRetryTimeout(context: CommandContext, text: string): CommandContext {
  const retryTimeoutMs = parseDurationMs(text, "--retry-timeout");
  return { ...context, settings: { ...context.settings, retryTimeoutMs } };
}

/** How long to go on trying; undefined leaves it to the registry client. @throws {CliError} USAGE */
export function readRetryTimeout({
  retryTimeoutMs,
  retryTimeout,
}: Pick<Settings, "retryTimeoutMs" | "retryTimeout">): number | undefined {
  if (retryTimeoutMs !== undefined || retryTimeout === undefined) return retryTimeoutMs;
  return parseDurationMs(retryTimeout, "$STRAKE_RETRY_TIMEOUT");
}
