import { readFileSync } from "node:fs";
import { RunnerError } from "../error.ts";

/** How runc begins the line that it prints for its own failure, beside noting it in the log file. */
export const FAILURE_PREFIX = "runc run failed: ";

/** The last error that runc noted in its log (one JSON object a line), without its prefix; undefined if none. */
export function readRuntimeFailure(logFile: string): string | undefined {
  let failure: string | undefined;
  for (const line of readFileSync(logFile, "utf8").split("\n")) {
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
 * Sorts the text of what set the container up into our codes. The programs have no codes of their own, so this is the one
 * place that reads their words: runc's `exec: "NAME": …` is about argv[0], everything else about the container.
 */
export function toRunnerError(failure: string, argv0: string): RunnerError {
  const exec = /exec: (?:"(?:[^"\\]|\\.)*": )?(.*)$/s.exec(failure);
  const reason = exec?.[1] ?? failure;
  if (exec !== null && /executable file not found|no such file or directory/.test(reason))
    return new RunnerError("COMMAND_NOT_FOUND", `Cannot run "${argv0}": ${reason}`);
  if (exec !== null && /permission denied|is a directory|exec format error/.test(reason))
    return new RunnerError("COMMAND_NOT_EXECUTABLE", `Cannot run "${argv0}": ${reason}`);
  const text = failure.trim().replaceAll("\n", "; ");
  return new RunnerError("RUNTIME_FAILED", `Cannot set up the container for "${argv0}": ${text}`, {
    hint: CURES.find(({ pattern }) => pattern.test(failure))?.cure,
  });
}

/** What is known to be behind a failure. The first that fits is told. */
const CURES: readonly { readonly pattern: RegExp; readonly cure: string }[] = [
  {
    pattern: /^unshare: unshare failed/m,
    cure: "This process may not make namespaces: inside a container it needs CAP_SYS_ADMIN, or run strake as an ordinary user where user namespaces are allowed",
  },
  {
    pattern: /mount \/proc failed|mounting "proc"/,
    cure: "Parts of /proc are masked here, as in a container: start that with --security-opt systempaths=unconfined (Docker) or procMount: Unmasked (Kubernetes)",
  },
  {
    pattern: /^mount: .*overlay/m,
    cure: "The store's file system can't hold an overlay's changes (another overlay, a network file system), or Linux is older than 5.11: choose another folder by STRAKE_ROOT",
  },
  {
    pattern: /cgroup/,
    cure: "Mount a cgroup file system on /sys/fs/cgroup",
  },
];
