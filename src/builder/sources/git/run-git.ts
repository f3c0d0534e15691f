import { type ChildProcess, spawn } from "node:child_process";

export interface GitRun {
  readonly exitCode: number | null;
  readonly stdout: string;
  /** The end of it. */
  readonly stderr: string;
}

export interface RunGitOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly signal: AbortSignal;
  readonly onStderr?: ((chunk: Uint8Array) => void) | undefined;
}

/** More than any list of references that can be meant. */
const MAX_STDOUT_BYTES = 64 << 20;
const MAX_STDERR_BYTES = 64 << 10;
const GRACE_MS = 2_000;

/**
 * Runs git with a umask of 022, so that what it writes does not depend on the user's. It and the programs that it
 * starts (ssh, git-remote-https) are a session of their own, which ends as one.
 * @throws the spawn error (ENOENT when there is no git); the signal's reason
 */
export async function runGit(args: readonly string[], options: RunGitOptions): Promise<GitRun> {
  const { env, cwd, signal } = options;
  signal.throwIfAborted();
  const child = spawn("/bin/sh", ["-c", 'umask 022 && exec git "$@"', "git", ...args], {
    env: { ...env },
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const stdout: Buffer[] = [];
  let stdoutBytes = 0;
  let stderr = Buffer.alloc(0);
  child.stdout.on("data", (chunk: Buffer) => {
    stdoutBytes += chunk.length;
    if (stdoutBytes > MAX_STDOUT_BYTES) stop(child, "SIGKILL");
    else stdout.push(chunk);
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr = Buffer.concat([stderr, chunk]).subarray(-MAX_STDERR_BYTES);
    options.onStderr?.(chunk);
  });
  let timer: NodeJS.Timeout | undefined;
  const abort = (): void => {
    stop(child, "SIGTERM");
    timer = setTimeout(() => stop(child, "SIGKILL"), GRACE_MS);
  };
  signal.addEventListener("abort", abort, { once: true });
  try {
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    signal.throwIfAborted();
    return { exitCode, stdout: Buffer.concat(stdout).toString("utf8"), stderr: stderr.toString("utf8") };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}

function stop({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // ESRCH: all of it has ended, which is what was wanted.
  }
}
