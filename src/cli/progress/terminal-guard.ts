import type { TerminalHooks } from "./view.ts";

/** Ties hooks to this process's exit and to Ctrl-Z and `fg`; the returned function unties them. */
export function guardTerminal({ restore, resume }: TerminalHooks): () => void {
  const suspend = (): void => {
    restore();
    // A listener takes the signal's effect away, so the process has to stop itself, in a way that can't be caught.
    process.kill(process.pid, "SIGSTOP");
  };
  process.on("exit", restore);
  process.on("SIGTSTP", suspend);
  process.on("SIGCONT", resume);
  return () => {
    process.off("exit", restore);
    process.off("SIGTSTP", suspend);
    process.off("SIGCONT", resume);
  };
}

/** A timer that doesn't keep the process alive. */
export function every(intervalMs: number, callback: () => void): () => void {
  const timer = setInterval(callback, intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}
