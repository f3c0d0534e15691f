import { setMaxListeners } from "node:events";
import { isatty } from "node:tty";
import { nowMs } from "../util/now-ms.ts";
import type { CommandContext } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { readSettings, readUser } from "./environment.ts";
import { Interruption, outputFault } from "./error.ts";
import { EXIT, endWith, main } from "./main.ts";
import { createOutput } from "./output.ts";

const controller = new AbortController();
// Every transfer and lock that a command waits for listens, and there is no bound to their number.
setMaxListeners(0, controller.signal);
let isStdinOpen = false;

for (const signalName of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signalName, () => {
    // The second time nobody wants to wait for cleaning up: what is left is cleaned by the next start.
    const reason = new Interruption(signalName);
    if (controller.signal.aborted) process.exit(reason.exitCode);
    controller.abort(reason);
    // Ends whoever waits for standard input, which takes no signal.
    if (isStdinOpen) process.stdin.destroy(reason);
  });
}

let stdoutFault: NodeJS.ErrnoException | undefined;
const stopForFault = (error: NodeJS.ErrnoException): void => {
  stdoutFault = error;
  controller.abort(outputFault(error));
};

/** What the commands see of this process. */
async function createContext(): Promise<CommandContext> {
  return {
    settings: readSettings(process.env, await readUser()),
    commands: COMMANDS,
    restart: {
      execPath: process.execPath,
      argv: [...process.execArgv, ...process.argv.slice(1)],
    },
    cwd: workingFolder(),
    // Asking for the stream already opens it, so it is done only for who reads it.
    get stdin() {
      // Whoever reads it gets the error of an interruption; where nobody does, it is no error.
      if (!isStdinOpen) process.stdin.on("error", () => undefined);
      isStdinOpen = true;
      return process.stdin;
    },
    isInteractive: isatty(0) && isatty(1),
    stdout: createOutput(process.stdout, stopForFault),
    stderr: createOutput(process.stderr, () => undefined),
    signal: controller.signal,
    sources: new Map(),
    now: Date.now,
    nowMs,
  };
}

/** It may have been removed under the shell that stands in it. */
function workingFolder(): string {
  try {
    return process.cwd();
  } catch {
    process.stderr.write(
      "error: Cannot find the working folder: it was removed\nhint: Change to a folder that is there\n",
    );
    process.exit(EXIT.failed);
  }
}

async function run(): Promise<never> {
  const context = await createContext();
  // A fault in something that nobody waits for: told like any other, not with Node's dump of code.
  let isTelling = false;
  process.on("uncaughtException", async (error) => {
    // What goes wrong in telling it must not be told in the same way.
    if (isTelling) process.exit(1);
    isTelling = true;
    const { printError } = await import("./errors/print-error.ts");
    await printError(error, context);
    process.exit(1);
  });

  let code = await main(process.argv.slice(2), context);

  // Idle connections and the like must not keep a finished process alive; what was written goes out first.
  for (const stream of [process.stdout, process.stderr]) {
    if (stream.writableLength > 0) await new Promise((resolve) => stream.write("", resolve));
  }
  // A result that is not whole must not look like one. Of the last words' fate only the stream knows as yet.
  const fault = stdoutFault ?? process.stdout.errored;
  if (code === EXIT.done && fault !== null) code = await endWith(outputFault(fault), context);
  process.exit(code);
}

// Not awaited at the top: the bundle is no ES module, see start.ts. A rejection ends up as an uncaught exception.
void run();
