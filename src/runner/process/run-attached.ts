import { killChildFirst, signalChildOf } from "./child-of-child.ts";
import { findProgram } from "./find-program.ts";
import { type ProcessEnd, startProcess, waitForEnd } from "./start-process.ts";

export interface RunAttachedOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** Whether the program puts our terminal into raw mode. */
  readonly terminal: boolean;
  /** Where stty(1) is looked for, which puts the terminal right. */
  readonly searchPath: string;
}

/**
 * Runs a program with our own standard streams. It is in a session of its own, also where we ourselves were put into one
 * for a user namespace: so a change of the window's size is passed on by us.
 *
 * Aborting kills the program's child (see `killChildFirst`), waits for the end and throws the signal's reason. The
 * terminal is afterwards as it was before, however the program ended.
 */
export async function runAttached(argv: readonly string[], options: RunAttachedOptions): Promise<ProcessEnd> {
  const { env, signal, terminal, searchPath } = options;
  signal?.throwIfAborted();
  const restore = terminal ? await saveTerminal(searchPath) : undefined;
  const child = startProcess(argv, { env, stdio: "inherit", ownSession: true });
  const abort = (): void => killChildFirst(child);
  const resize = (): void => signalChildOf(child, "SIGWINCH");
  signal?.addEventListener("abort", abort, { once: true });
  process.on("SIGWINCH", resize);
  try {
    const end = await waitForEnd(child);
    signal?.throwIfAborted();
    return end;
  } finally {
    signal?.removeEventListener("abort", abort);
    process.off("SIGWINCH", resize);
    await restore?.();
  }
}

/** Takes down the settings of our terminal; the returned function brings them back. Undefined where there is no stty(1). */
async function saveTerminal(searchPath: string): Promise<(() => Promise<void>) | undefined> {
  const stty = findProgram("stty", searchPath);
  if (stty === undefined) return undefined;
  const reader = startProcess([stty, "-g"], { env: {}, stdio: ["inherit", "pipe", "ignore"] });
  const chunks: Buffer[] = [];
  reader.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
  const { exitCode } = await waitForEnd(reader);
  const settings = Buffer.concat(chunks).toString("latin1").trim();
  if (exitCode !== 0 || settings === "") return undefined;
  return async () => {
    await waitForEnd(startProcess([stty, settings], { env: {}, stdio: ["inherit", "ignore", "ignore"] }));
  };
}
