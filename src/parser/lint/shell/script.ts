/** What stands between two commands. `;` is also a line's end; `end` is the end of a script or group. */
export type Connector = "&&" | "||" | "|" | ";" | "&" | "end";

export interface ShellWord {
  /** Without quotes and escapes; what is expanded is left as written. */
  readonly text: string;
  /** False where something in it is expanded: a variable, a command, arithmetic. Patterns count as literal. */
  readonly isLiteral: boolean;
  readonly start: number;
  readonly end: number;
  /** The commands of `$(…)`, backticks, `<(…)` in it. */
  readonly commands: readonly ShellCommand[];
}

export interface ShellRedirect {
  /** `>`, `>>`, `<`, `<<`, `2>&1` without its digits, … */
  readonly operator: string;
  readonly target: ShellWord | undefined;
}

/** A simple command: a program or builtin with its words. */
export interface ShellCommand {
  /** The program's name and its arguments; none for assignments alone. */
  readonly words: readonly ShellWord[];
  /** `NAME=value` in front. */
  readonly assignments: readonly ShellWord[];
  readonly redirects: readonly ShellRedirect[];
  /** What stands in front of it and behind it. */
  readonly before: Connector;
  readonly after: Connector;
  /** How many groups, branches and loops are around it. */
  readonly depth: number;
  /** It decides something, so that its failure is none: `if`, `while`, `!`. */
  readonly isCondition: boolean;
  /** The statement of the outermost level that it belongs to, from 0. */
  readonly statement: number;
  readonly start: number;
  readonly end: number;
}

/** A shell script as a flat list of its commands, in the order in which they are written. */
export interface ShellScript {
  readonly text: string;
  readonly commands: readonly ShellCommand[];
  /** Each comment, from its `#` to the end of its line. */
  readonly comments: readonly { readonly start: number; readonly end: number }[];
}

/** All commands, also those inside of words. */
export function* everyCommand(commands: readonly ShellCommand[]): Generator<ShellCommand, void, undefined> {
  for (const command of commands) {
    yield command;
    for (const word of [...command.words, ...command.assignments]) yield* everyCommand(word.commands);
    for (const { target } of command.redirects)
      if (target !== undefined) yield* everyCommand(target.commands);
  }
}
