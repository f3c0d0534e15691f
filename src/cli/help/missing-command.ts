import { suggest } from "../args/suggest.ts";
import type { Command, CommandContext, CommandEntry } from "../command.ts";
import { type CliError, usageError } from "../error.ts";
import { commandFamily } from "../find-command.ts";
import { formatCommandFamily } from "./format-help.ts";

/**
 * What to do with a command line that names no command: shows the family for `strake cache`, `strake cache --help`.
 * @throws {CliError} USAGE with the nearest command there is
 */
export function missingCommand(argv: readonly string[], context: CommandContext): number {
  const [first = "", second] = argv;
  const family = commandFamily(context.commands, first);
  const isFamily = family.length > 0;
  if (isFamily && (second === undefined || second === "--help" || second === "-h")) {
    const target = second === undefined ? context.stderr : context.stdout;
    target.write(formatCommandFamily(first, family));
    return second === undefined ? 2 : 0;
  }
  if (first.startsWith("-")) {
    throw usageError(
      `Unknown flag "${first}"`,
      "A command comes first: strake COMMAND [OPTIONS], see strake --help",
    );
  }
  const typed = isFamily ? `${first} ${second}` : first;
  const guess = suggest(
    typed,
    context.commands.map(({ name }) => name),
  );
  throw usageError(
    `Unknown command "${typed}"`,
    guess === undefined ? "strake --help lists the commands" : `Did you mean "strake ${guess}"?`,
  );
}

/** For a command that got more or fewer operands than it takes. */
export function wrongCount(
  { name }: CommandEntry,
  command: Command,
  positionals: readonly string[],
): CliError {
  const { min, max } = command.count;
  const usage = `strake ${name} ${command.operands}`.trimEnd();
  const hint = `Usage: ${usage}; see strake ${name} --help`;
  if (positionals.length < min) {
    return usageError(`Command "${name}" needs ${describeCount(min, max)}, got ${positionals.length}`, hint);
  }
  const surplus = positionals[max] ?? "";
  return usageError(
    max === 0
      ? `Command "${name}" takes no arguments, but there is "${surplus}"`
      : `Command "${name}" takes ${describeCount(min, max)}, but there is also "${surplus}"`,
    hint,
  );
}

function describeCount(min: number, max: number): string {
  const noun = (count: number): string => (count === 1 ? "1 argument" : `${count} arguments`);
  if (min === max) return noun(min);
  if (min === 0) return `at most ${noun(max)}`;
  return max === Number.POSITIVE_INFINITY ? `at least ${noun(min)}` : `${min} to ${noun(max)}`;
}
