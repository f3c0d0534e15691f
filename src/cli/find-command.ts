import type { CommandEntry } from "./command.ts";

/** The command that `argv` starts with, and the arguments after its name. */
export function findCommand(
  commands: readonly CommandEntry[],
  argv: readonly string[],
): { readonly entry: CommandEntry; readonly rest: readonly string[] } | undefined {
  for (const words of [2, 1]) {
    if (argv.length < words) continue;
    const name = argv.slice(0, words).join(" ");
    const entry = commands.find((candidate) => candidate.name === name);
    if (entry !== undefined) return { entry, rest: argv.slice(words) };
  }
  return undefined;
}

/** The commands below a first word: `cache ls` for `cache`. */
export function commandFamily(commands: readonly CommandEntry[], word: string): readonly CommandEntry[] {
  return commands.filter(({ name }) => name.startsWith(`${word} `));
}
