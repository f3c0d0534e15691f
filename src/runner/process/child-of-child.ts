import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";

/**
 * Kills what `unshare --fork` has forked rather than unshare itself. That child is the first process of a PID
 * namespace: the kernel kills the rest with it, and unshare's wait for it, hence ours for unshare, ends only when
 * all of them are gone. Stopping unshare first settles whether it has forked already: with a signal pending, fork
 * starts anew and so never happens.
 */
export function killChildFirst(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGSTOP");
  const grandchildren = readChildren(pid);
  for (const grandchild of grandchildren) kill(grandchild, "SIGKILL");
  child.kill(grandchildren.length === 0 ? "SIGKILL" : "SIGCONT");
}

/** Passes a signal to what `unshare --fork` has forked: the runtime, which passes it on to its command. */
export function signalChildOf(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  for (const grandchild of readChildren(child.pid)) kill(grandchild, signal);
}

function readChildren(pid: number): readonly number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").trim();
    return text === "" ? [] : text.split(" ").map(Number);
  } catch {
    return []; // it has ended already
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // ESRCH: it has ended by itself
  }
}
