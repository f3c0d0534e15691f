import { killChildFirst } from "./child-of-child.ts";
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
