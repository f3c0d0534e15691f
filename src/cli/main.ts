import type { OptionTable, ParsedOptions } from "./args/option-table.ts";
import type { CommandContext } from "./command.ts";
import { Interruption } from "./error.ts";
import { findCommand } from "./find-command.ts";
import { VERSION } from "./version.ts";

/** What `main` returns: the process's exit codes, of which 128 + n stands for a signal. */
export const EXIT = { done: 0, failed: 1, usage: 2 } as const;

/**
 * Runs one command line.
 *
 * @param argv the arguments after the program's name
 * @returns the exit code: 0 done, 1 the operation failed, 2 the command line is wrong, 128 + n stopped by signal n
 */
export async function main(argv: readonly string[], context: CommandContext): Promise<number> {
  try {
    return await dispatch(argv, context);
  } catch (error) {
    // What was stopped fails in many ways; why it was stopped is what counts.
    return await endWith(context.signal.aborted ? context.signal.reason : error, context);
  }
}

/** Tells an error, or why the command was stopped. @returns the exit code */
export async function endWith(error: unknown, context: CommandContext): Promise<number> {
  if (error instanceof Interruption) {
    if (error.signalName !== "SIGPIPE") context.stderr.write(`${error.message}\n`);
    return error.exitCode;
  }
  const { printError } = await import("./errors/print-error.ts");
  const isUsage = (error as { readonly code?: unknown } | null)?.code === "USAGE";
  await printError(error, context);
  return isUsage ? EXIT.usage : EXIT.failed;
}

async function dispatch(argv: readonly string[], context: CommandContext): Promise<number> {
  const [first] = argv;
  if (first === "--version" || first === "-v") {
    context.stdout.write(`strake ${VERSION}\n`);
    return EXIT.done;
  }
  if (first === undefined || first === "--help" || first === "-h") {
    const { formatCommandList } = await import("./help/format-help.ts");
    const target = first === undefined ? context.stderr : context.stdout;
    target.write(formatCommandList(context.commands, target));
    return first === undefined ? EXIT.usage : EXIT.done;
  }
  const found = findCommand(context.commands, argv);
  if (found === undefined) {
    const { missingCommand } = await import("./help/missing-command.ts");
    return missingCommand(argv, context);
  }
  const [command, { parseOptions }] = await Promise.all([
    found.entry.load(),
    import("./args/parse-options.ts"),
  ]);
  const { options, positionals, beforeDashes, help } = parseOptions(command.options, found.rest);
  if (help) {
    const { formatCommandHelp } = await import("./help/format-help.ts");
    context.stdout.write(formatCommandHelp(found.entry, command, context.stdout));
    return EXIT.done;
  }
  const { min, max } = command.count;
  if (positionals.length < min || positionals.length > max) {
    const { wrongCount } = await import("./help/missing-command.ts");
    throw wrongCount(found.entry, command, positionals);
  }
  const { uid, isInNamespace } = context.settings;
  if (uid !== 0 && !isInNamespace && command.needsRoot?.(options) === true) {
    const { runInNamespace } = await import("./run-in-namespace.ts");
    return runInNamespace(context);
  }
  const called = await withSettings(options, context);
  return (await command.run({ options, positionals, beforeDashes }, called)) ?? EXIT.done;
}

/** Flags that say for this call what the environment says for all. */
async function withSettings(
  { "retry-timeout": retryTimeout }: ParsedOptions<OptionTable>,
  context: CommandContext,
): Promise<CommandContext> {
  if (typeof retryTimeout !== "string") return context;
  const { withRetryTimeout } = await import("./registry/retry-flag.ts");
  return withRetryTimeout(context, retryTimeout);
}
