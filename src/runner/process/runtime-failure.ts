import { readFileSync } from "node:fs";
import { RunnerError } from "../error.ts";

/** How runc begins the line that it prints for its own failure, beside noting it in the log file. */
export const FAILURE_PREFIX = "runc run failed: ";

/** The last error that runc noted in its log (one JSON object a line), without its prefix; undefined if none. */
export function readRuntimeFailure(logFile: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(logFile, "utf8");
  } catch {
    return undefined; // it writes no log when all went well
  }
  let failure: string | undefined;
  for (const line of text.split("\n")) {
    const message = decodeError(line);
    if (message?.startsWith(FAILURE_PREFIX)) failure = message.slice(FAILURE_PREFIX.length);
    else failure ??= message;
  }
  return failure;
}

function decodeError(line: string): string | undefined {
  try {
    const entry: unknown = JSON.parse(line);
    if (typeof entry !== "object" || entry === null) return undefined;
    const { level, msg } = entry as { readonly level?: unknown; readonly msg?: unknown };
    return level === "error" && typeof msg === "string" ? msg.trim() : undefined;
  } catch {
    return undefined; // an empty or cut line
  }
}

/**
 * Sorts runc's text into our codes. It has no codes of its own, so this is the one place that reads its words:
 * `exec: "NAME": …` is about argv[0], everything else about the container.
 */
export function toRunnerError(failure: string, argv0: string): RunnerError {
  const exec = /exec: (?:"(?:[^"\\]|\\.)*": )?(.*)$/s.exec(failure);
  const reason = exec?.[1] ?? failure;
  if (exec !== null && /executable file not found|no such file or directory/.test(reason))
    return new RunnerError("COMMAND_NOT_FOUND", `Cannot run "${argv0}": ${reason}`);
  if (exec !== null && /permission denied|is a directory|exec format error/.test(reason))
    return new RunnerError("COMMAND_NOT_EXECUTABLE", `Cannot run "${argv0}": ${reason}`);
  return new RunnerError("RUNTIME_FAILED", `Cannot set up the container for "${argv0}": ${failure}`);
}
