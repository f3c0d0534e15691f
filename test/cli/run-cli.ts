import { COMMANDS } from "../../src/cli/commands.ts";
import { readSettings } from "../../src/cli/environment.ts";
import { main } from "../../src/cli/main.ts";
import { FakeOutput } from "./fake-output.ts";

export interface RunCliOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: AsyncIterable<Uint8Array> | string;
  /** Size of the terminal that both outputs go to; none when absent. */
  readonly terminal?: { readonly columns: number; readonly rows: number };
  readonly signal?: AbortSignal;
  readonly now?: number;
}

export interface CliRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly stdoutBytes: Buffer;
}

/** Runs a command line inside this process, with an environment of its own. */
export async function runCli(argv: readonly string[], options: RunCliOptions = {}): Promise<CliRun> {
  const stdout = new FakeOutput(options.terminal);
  const stderr = new FakeOutput(options.terminal);
  const code = await main(argv, {
    settings: readSettings(
      { TERM: "xterm", NO_COLOR: "1", ...options.env },
      { uid: 0, home: "/root", isInNamespace: false },
    ),
    commands: COMMANDS,
    restart: { execPath: process.execPath, argv: [] },
    cwd: options.cwd ?? "/",
    stdin: Object.assign(readable(options.stdin ?? ""), { isTTY: false }),
    isInteractive: false,
    stdout,
    stderr,
    signal: options.signal ?? new AbortController().signal,
    sources: new Map(),
    now: () => options.now ?? 1_700_000_000_000,
    nowMs: () => performance.now(),
  });
  return { code, stdout: stdout.text, stderr: stderr.text, stdoutBytes: stdout.bytes };
}

function readable(stdin: AsyncIterable<Uint8Array> | string): AsyncIterable<Uint8Array> {
  if (typeof stdin !== "string") return { [Symbol.asyncIterator]: () => stdin[Symbol.asyncIterator]() };
  return {
    async *[Symbol.asyncIterator]() {
      if (stdin !== "") yield Buffer.from(stdin);
    },
  };
}
