import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { type ProcessEnd, startProcess, waitForEnd } from "./start-process.ts";

export interface RunProcessOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  readonly onOutput: (stream: "stdout" | "stderr", chunk: Uint8Array) => void;
}

/**
 * Runs a program with /dev/null as its input, in a session of its own so that the terminal's Ctrl-C reaches
 * only us. Resolves when it has ended and all its output was delivered.
 *
 * Aborting kills the program's child (see `killChildFirst`), waits for the end and throws the signal's reason.
 */
export async function runProcess(argv: readonly string[], options: RunProcessOptions): Promise<ProcessEnd> {
  options.signal?.throwIfAborted();
  const child = startProcess(argv, { env: options.env, stdio: ["ignore", "pipe", "pipe"], ownSession: true });
  child.stdout?.on("data", (chunk: Uint8Array) => options.onOutput("stdout", chunk));
  child.stderr?.on("data", (chunk: Uint8Array) => options.onOutput("stderr", chunk));
  const abort = (): void => killChildFirst(child);
  options.signal?.addEventListener("abort", abort, { once: true });
  try {
    const end = await waitForEnd(child);
    options.signal?.throwIfAborted();
    return end;
  } finally {
    options.signal?.removeEventListener("abort", abort);
  }
}

/**
 * Kills what `unshare --fork` has forked rather than unshare itself. That child is the first process of a PID
 * namespace: the kernel kills the rest with it, and unshare's wait for it, hence ours for unshare, ends only when
 * all of them are gone. Stopping unshare first settles whether it has forked already: with a signal pending, fork
 * starts anew and so never happens.
 */
function killChildFirst(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGSTOP");
  const grandchildren = readChildren(pid);
  for (const grandchild of grandchildren) kill(grandchild);
  child.kill(grandchildren.length === 0 ? "SIGKILL" : "SIGCONT");
}

function readChildren(pid: number): readonly number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").trim();
    return text === "" ? [] : text.split(" ").map(Number);
  } catch {
    return []; // it has ended already
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // ESRCH: it ended by itself, which is what was wanted
  }
}
