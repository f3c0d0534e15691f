import type { ShellCommand, ShellWord } from "./script.ts";

/** Reads the commands inside of a word. */
export interface Substitutions {
  /** From an offset of the same text up to the `)` that ends them, and the offset behind that. */
  readonly nested: (start: number) => { readonly commands: readonly ShellCommand[]; readonly end: number };
  /** All commands of a text of its own. */
  readonly script: (text: string) => readonly ShellCommand[];
}

/** What ends a word that isn't quoted. */
const END = /[\s;&|()<>]/;

/** Reads the word at an offset; an empty one where none begins there. Offsets are those of `text`. */
export function readWord(text: string, start: number, substitutions: Substitutions): ShellWord {
  return new WordReader(text, start, substitutions).read();
}

class WordReader {
  readonly #text: string;
  readonly #start: number;
  readonly #substitutions: Substitutions;
  readonly #parts: string[] = [];
  readonly #commands: ShellCommand[] = [];
  #at: number;
  #isLiteral = true;

  constructor(text: string, start: number, substitutions: Substitutions) {
    this.#text = text;
    this.#start = start;
    this.#at = start;
    this.#substitutions = substitutions;
  }

  read(): ShellWord {
    const text = this.#text;
    while (this.#at < text.length) {
      const char = text[this.#at] as string;
      if ((char === "<" || char === ">") && text[this.#at + 1] === "(" && this.#at === this.#start) {
        this.#substitution(2);
      } else if (END.test(char)) break;
      else if (char === "'") this.#single();
      else if (char === '"') this.#double();
      else if (char === "\\") this.#escape();
      else if (char === "$") this.#dollar();
      else if (char === "`") this.#backticks();
      else this.#keep(1);
    }
    return {
      text: this.#parts.join(""),
      isLiteral: this.#isLiteral,
      start: this.#start,
      // A quote or escape that is not ended ends with the text.
      end: Math.min(this.#at, text.length),
      commands: this.#commands,
    };
  }

  #keep(count: number): void {
    this.#parts.push(this.#text.slice(this.#at, this.#at + count));
    this.#at += count;
  }

  #escape(): void {
    const next = this.#text[this.#at + 1];
    if (next !== "\n") this.#parts.push(next ?? "\\");
    this.#at += 2;
  }

  #single(): void {
    const end = this.#text.indexOf("'", this.#at + 1);
    const stop = end === -1 ? this.#text.length : end;
    this.#parts.push(this.#text.slice(this.#at + 1, stop));
    this.#at = stop + 1;
  }

  #double(): void {
    this.#at++;
    while (this.#at < this.#text.length && this.#text[this.#at] !== '"') {
      const char = this.#text[this.#at];
      if (char === "\\" && /[$`"\\\n]/.test(this.#text[this.#at + 1] ?? "")) this.#escape();
      else if (char === "$") this.#dollar();
      else if (char === "`") this.#backticks();
      else this.#keep(1);
    }
    this.#at++;
  }

  #dollar(): void {
    const rest = this.#text.slice(this.#at, this.#at + 3);
    if (rest.startsWith("$((")) this.#skipTo("))", 2);
    else if (rest.startsWith("$(")) this.#substitution(2);
    else if (rest.startsWith("${")) this.#braces();
    else if (rest.startsWith("$'")) {
      this.#at++;
      this.#single();
      return;
    } else {
      const name = /\$(?:\w+|[@*#?$!-])/y;
      name.lastIndex = this.#at;
      const found = name.exec(this.#text)?.[0];
      if (found !== undefined) this.#isLiteral = false;
      this.#keep(found?.length ?? 1);
      return;
    }
    this.#isLiteral = false;
  }

  #skipTo(end: string, length: number): void {
    const found = this.#text.indexOf(end, this.#at);
    this.#keep((found === -1 ? this.#text.length : found + length) - this.#at);
  }

  #braces(): void {
    let depth = 0;
    let end = this.#at;
    for (; end < this.#text.length; end++) {
      const char = this.#text[end];
      if (char === "\\") end++;
      else if (char === "{") depth++;
      else if (char === "}" && --depth === 0) break;
    }
    this.#keep(end + 1 - this.#at);
  }

  #substitution(length: number): void {
    const start = this.#at;
    const { commands, end } = this.#substitutions.nested(start + length);
    this.#commands.push(...commands);
    this.#isLiteral = false;
    this.#at = start;
    this.#keep(Math.max(end - start, length));
  }

  #backticks(): void {
    let end = this.#at + 1;
    while (end < this.#text.length && this.#text[end] !== "`") end += this.#text[end] === "\\" ? 2 : 1;
    const inner = this.#text.slice(this.#at + 1, end);
    const offset = this.#at + 1;
    this.#commands.push(...this.#substitutions.script(inner).map((command) => shifted(command, offset)));
    this.#isLiteral = false;
    this.#keep(Math.min(end + 1, this.#text.length) - this.#at);
  }
}

function shifted(command: ShellCommand, by: number): ShellCommand {
  const word = (each: ShellWord): ShellWord => ({ ...each, start: each.start + by, end: each.end + by });
  return {
    ...command,
    words: command.words.map(word),
    assignments: command.assignments.map(word),
    start: command.start + by,
    end: command.end + by,
  };
}
