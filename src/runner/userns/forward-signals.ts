import type { ChildProcess } from "node:child_process";

/**
 * What a terminal, a shell or a service manager sends. The child is in a session of its own, so whatever reaches us has
 * not reached it: each is passed on exactly once.
 */
const FORWARDED: readonly NodeJS.Signals[] = [
  "SIGINT",
  "SIGTERM",
  "SIGHUP",
  "SIGQUIT",
  "SIGUSR2",
  "SIGWINCH",
  "SIGCONT",
];

/** Passes signals on to the child until disposed. Ctrl-Z stops the child, then us. */
export function forwardSignals(child: ChildProcess): Disposable {
  const forward = (signal: NodeJS.Signals): void => {
    child.kill(signal);
  };
  const stop = (): void => {
    child.kill("SIGSTOP");
    process.kill(process.pid, "SIGSTOP");
  };
  for (const signal of FORWARDED) process.on(signal, forward);
  process.on("SIGTSTP", stop);
  return {
    [Symbol.dispose]() {
      for (const signal of FORWARDED) process.off(signal, forward);
      process.off("SIGTSTP", stop);
    },
  };
}
