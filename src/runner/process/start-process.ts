import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";

export interface StartOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdio: StdioOptions;
  /** In a session of its own: signals of the terminal and to our process group then reach only us. */
  readonly ownSession?: boolean;
}

export interface ProcessEnd {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The one place where this folder starts processes. argv[0] is an absolute path; nothing is looked up in PATH. */
export function startProcess(argv: readonly string[], options: StartOptions): ChildProcess {
  const [file = "", ...args] = argv;
  return spawn(file, args, {
    env: { ...options.env },
    stdio: options.stdio,
    detached: options.ownSession === true,
  });
}

/** Resolves when the process has ended and its pipes are drained; rejects when it could not be started. */
export function waitForEnd(child: ChildProcess): Promise<ProcessEnd> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (exitCode, signal) => resolve({ exitCode, signal }));
  });
}
