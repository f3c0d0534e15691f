import type { ShellCommand, ShellWord } from "./script.ts";

/** The program that a command runs in the end. */
export interface Invocation {
  /** Its name without folders: `apt-get`. */
  readonly program: string;
  readonly args: readonly ShellWord[];
  /** What it was started through, outermost first: `sudo`, `env`. */
  readonly through: readonly string[];
  readonly command: ShellCommand;
}

/** Programs that run another: which of their flags take a value, and how many words come before it. */
const WRAPPERS: Readonly<Record<string, { readonly valued: RegExp; readonly operands: number }>> = {
  sudo: { valued: /^-[ugphCrtT]$/, operands: 0 },
  env: { valued: /^-[uCS]$/, operands: 0 },
  exec: { valued: /^-a$/, operands: 0 },
  command: { valued: /^$/, operands: 0 },
  builtin: { valued: /^$/, operands: 0 },
  nohup: { valued: /^$/, operands: 0 },
  time: { valued: /^-[fo]$/, operands: 0 },
  nice: { valued: /^-n$/, operands: 0 },
  eatmydata: { valued: /^$/, operands: 0 },
  timeout: { valued: /^-[ks]$/, operands: 1 },
  gosu: { valued: /^$/, operands: 1 },
  "su-exec": { valued: /^$/, operands: 1 },
};

/** undefined for assignments alone, and where a variable says what is run. */
export function invocationOf(command: ShellCommand): Invocation | undefined {
  const through: string[] = [];
  let words = command.words;
  for (;;) {
    const [first] = words;
    if (first === undefined || (!first.isLiteral && !/\/[\w.-]+$/.test(first.text))) return undefined;
    const program = first.text.slice(first.text.lastIndexOf("/") + 1);
    const wrapper = WRAPPERS[program];
    const inner = wrapper === undefined ? [] : afterOptions(words.slice(1), wrapper);
    if (inner.length === 0) return { program, args: words.slice(1), through, command };
    through.push(program);
    words = inner;
  }
}

function afterOptions(
  words: readonly ShellWord[],
  { valued, operands }: { readonly valued: RegExp; readonly operands: number },
): readonly ShellWord[] {
  let index = 0;
  while (index < words.length) {
    const text = words[index]?.text ?? "";
    if (text === "--") {
      index++;
      break;
    }
    if (!text.startsWith("-") && !/^\w+=/.test(text)) break;
    index += valued.test(text) ? 2 : 1;
  }
  return words.slice(index + operands);
}

/** Arguments that are no flags. */
export function operandsOf({ args }: Pick<Invocation, "args">): readonly ShellWord[] {
  const end = args.findIndex(({ text }) => text === "--");
  const flagsEnd = end === -1 ? args.length : end;
  return args.filter(({ text }, index) => index > flagsEnd || (index < flagsEnd && !/^-./.test(text)));
}

/** Whether a flag is there, by its long name or its letter, alone or among others: `-qy`. */
export function hasFlag({ args }: Pick<Invocation, "args">, long: string, letter = ""): boolean {
  return args.some(({ text }) => {
    if (text.startsWith("--")) return text === `--${long}` || text.startsWith(`--${long}=`);
    return letter !== "" && /^-[A-Za-z]+/.test(text) && text.includes(letter);
  });
}
