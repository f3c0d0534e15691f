import { type Frame, isReserved, leaveFrame } from "./frames.ts";
import { readWord, type Substitutions } from "./read-word.ts";
import type { Connector, ShellCommand, ShellRedirect, ShellScript, ShellWord } from "./script.ts";

/** Deeper substitutions are not looked into: nobody writes them. */
const MAX_NESTING = 40;

/**
 * Splits a POSIX or bash script into its commands. It never fails: what it can't make sense of becomes words. What it does
 * not know is what aliases and `eval` would make of them.
 */
export function parseScript(text: string): ShellScript {
  const scanner = new ScriptScanner(text, 0, undefined, 0);
  scanner.scan();
  return { text, commands: scanner.commands, comments: scanner.comments };
}

function parseNested(
  text: string,
  start: number,
  nesting: number,
): { readonly commands: readonly ShellCommand[]; readonly end: number } {
  if (nesting > MAX_NESTING) return { commands: [], end: text.length };
  const scanner = new ScriptScanner(text, start, ")", nesting);
  return { end: scanner.scan(), commands: scanner.commands };
}

function scriptCommands(text: string, nesting: number): readonly ShellCommand[] {
  const scanner = new ScriptScanner(text, 0, undefined, nesting);
  scanner.scan();
  return scanner.commands;
}

type Draft = { -readonly [K in keyof ShellCommand]: ShellCommand[K] } & {
  readonly words: ShellWord[];
  readonly assignments: ShellWord[];
  readonly redirects: ShellRedirect[];
};

const OPERATOR = /&&|\|\||;;&|;;|;&|\|&|[;&|\n()]/y;
const REDIRECT = /(?:\d+|\{\w+\})?(?:&>>|&>|<<<|<<-|<<|<>|<&|>&|>>|>\||[<>])/y;
const ASSIGNMENT = /^[A-Za-z_]\w*(?:\[[^\]]*\])?\+?=/;

class ScriptScanner {
  readonly commands: ShellCommand[] = [];
  readonly comments: { start: number; end: number }[] = [];
  readonly #text: string;
  readonly #closer: string | undefined;
  readonly #substitutions: Substitutions;
  readonly #frames: Frame[] = [];
  #at: number;
  #open: Draft | undefined;
  #connector: Connector = "end";
  #isNegated = false;
  #statement = 0;
  /** Names of heredocs whose bodies follow the current line. */
  #heredocs: { readonly name: string; readonly chomp: boolean }[] = [];

  constructor(text: string, start: number, closer: string | undefined, nesting: number) {
    this.#text = text;
    this.#at = start;
    this.#closer = closer;
    this.#substitutions = {
      nested: (from) => parseNested(text, from, nesting + 1),
      script: (inner) => (nesting < MAX_NESTING ? scriptCommands(inner, nesting + 1) : []),
    };
  }

  /** @returns the offset behind the closing character, or the end */
  scan(): number {
    const text = this.#text;
    while (this.#at < text.length) {
      const char = text[this.#at] as string;
      if (char === " " || char === "\t" || char === "\r") this.#at++;
      else if (char === "\\" && text[this.#at + 1] === "\n") this.#at += 2;
      else if (char === "#") this.#comment();
      else if (this.#redirect()) continue;
      else if (this.#isInPattern()) this.#pattern();
      else {
        OPERATOR.lastIndex = this.#at;
        const operator = OPERATOR.exec(text)?.[0];
        if (operator === undefined) this.#word();
        else if (operator === this.#closer && this.#frames.length === 0) {
          this.#finish("end");
          return this.#at + 1;
        } else this.#operator(operator);
      }
    }
    this.#finish("end");
    return this.#at;
  }

  #comment(): void {
    const end = this.#text.indexOf("\n", this.#at);
    this.comments.push({ start: this.#at, end: end === -1 ? this.#text.length : end });
    this.#at = end === -1 ? this.#text.length : end;
  }

  #isInPattern(): boolean {
    return this.#open === undefined && this.#frames.at(-1)?.isPattern === true;
  }

  /** Of `case`: `a|b)`, or `esac`. */
  #pattern(): void {
    const frame = this.#frames.at(-1) as Frame;
    const char = this.#text[this.#at] as string;
    if (char === ")") frame.isPattern = false;
    if ("()|;&\n".includes(char)) {
      this.#at++;
      return;
    }
    const { text, end } = readWord(this.#text, this.#at, this.#substitutions);
    this.#at = Math.max(end, this.#at + 1);
    if (text === "esac") this.#frames.pop();
  }

  #operator(operator: string): void {
    this.#at += operator.length;
    switch (operator) {
      case "(":
        this.#parenthesis();
        return;
      case ")":
        this.#finish(";");
        leaveFrame(this.#frames, "(");
        return;
      case "\n":
        this.#separate(";");
        this.#skipHeredocs();
        return;
      case ";;":
      case ";&":
      case ";;&": {
        this.#finish(";");
        const frame = this.#frames.findLast(({ keyword }) => keyword === "case");
        if (frame !== undefined) frame.isPattern = true;
        return;
      }
      case "&&":
      case "||":
        this.#finish(operator);
        return;
      case "|":
      case "|&":
        this.#finish("|");
        return;
      default:
        this.#separate(operator === "&" ? "&" : ";");
    }
  }

  #separate(connector: ";" | "&"): void {
    this.#finish(connector);
    if (this.#frames.length === 0) this.#statement++;
  }

  #parenthesis(): void {
    if (this.#text[this.#at] === "(" && this.#open === undefined) {
      const end = this.#text.indexOf("))", this.#at);
      this.#at = end === -1 ? this.#text.length : end + 2;
      return;
    }
    const name = this.#open;
    if (name !== undefined) {
      // `name()` begins a function; anything else with a parenthesis in it is beyond us, and becomes a group.
      const close = /\s*\)/y;
      close.lastIndex = this.#at;
      if (name.words.length === 1 && close.test(this.#text)) {
        this.#at = close.lastIndex;
        this.#open = undefined;
        this.#frames.push({ keyword: "function", isCondition: false, isPattern: false });
        return;
      }
      this.#finish(";");
    }
    this.#frames.push({ keyword: "(", isCondition: false, isPattern: false });
  }

  #redirect(): boolean {
    REDIRECT.lastIndex = this.#at;
    const found = REDIRECT.exec(this.#text)?.[0];
    if (found === undefined) return false;
    const operator = found.replace(/^\d+|^\{\w+\}/, "");
    const next = this.#text[this.#at + found.length];
    if ((operator === "<" || operator === ">") && next === "(") return false;
    this.#at += found.length;
    while (/[ \t]/.test(this.#text[this.#at] ?? "")) this.#at++;
    const word = readWord(this.#text, this.#at, this.#substitutions);
    this.#at = word.end;
    const draft = this.#command(word.start);
    draft.redirects.push({ operator, target: word.end > word.start ? word : undefined });
    draft.end = word.end;
    if (operator === "<<" || operator === "<<-") {
      this.#heredocs.push({ name: word.text, chomp: operator === "<<-" });
    }
    return true;
  }

  #skipHeredocs(): void {
    for (const { name, chomp } of this.#heredocs) {
      while (this.#at < this.#text.length) {
        const end = this.#text.indexOf("\n", this.#at);
        const line = this.#text.slice(this.#at, end === -1 ? undefined : end);
        this.#at = end === -1 ? this.#text.length : end + 1;
        if ((chomp ? line.replace(/^\t+/, "") : line) === name) break;
      }
    }
    this.#heredocs = [];
  }

  #word(): void {
    const word = readWord(this.#text, this.#at, this.#substitutions);
    this.#at = Math.max(word.end, this.#at + 1);
    if (this.#open === undefined || this.#open.words.length === 0) {
      const written = this.#text.slice(word.start, word.end);
      if (this.#open === undefined && isReserved(written)) {
        this.#reserved(written);
        return;
      }
      if (ASSIGNMENT.test(written)) {
        const draft = this.#command(word.start);
        draft.assignments.push(word);
        draft.end = word.end;
        return;
      }
    }
    const draft = this.#command(word.start);
    draft.words.push(word);
    draft.end = word.end;
    if (draft.words.length === 1 && word.text === "[[") this.#test(draft);
  }

  /** Inside of `[[ … ]]` operators and parentheses join no commands. */
  #test(draft: Draft): void {
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at] as string;
      if (/[\s&|()<>]/.test(char)) {
        this.#at++;
        continue;
      }
      const word = readWord(this.#text, this.#at, this.#substitutions);
      this.#at = Math.max(word.end, this.#at + 1);
      draft.words.push(word);
      draft.end = word.end;
      if (word.text === "]]") return;
    }
  }

  #reserved(keyword: string): void {
    switch (keyword) {
      case "!":
        this.#isNegated = true;
        return;
      case "if":
      case "while":
      case "until":
        this.#frames.push({ keyword, isCondition: true, isPattern: false });
        return;
      case "elif":
      case "then":
      case "else":
      case "do": {
        const frame = this.#frames.at(-1);
        if (frame !== undefined) frame.isCondition = keyword === "elif";
        return;
      }
      case "{":
        if (this.#frames.at(-1)?.keyword === "function") this.#frames.pop();
        this.#frames.push({ keyword: "{", isCondition: false, isPattern: false });
        return;
      case "for":
      case "select":
        this.#skipHeader(/[;\n]/g);
        this.#frames.push({ keyword, isCondition: false, isPattern: false });
        return;
      case "case":
        this.#skipHeader(/\sin\b/g);
        this.#at = Math.min(this.#at + 3, this.#text.length);
        this.#frames.push({ keyword, isCondition: false, isPattern: true });
        return;
      case "function": {
        this.#skipHeader(/(?=[({\n])/g);
        if (this.#text[this.#at] === "(") this.#skipHeader(/(?<=\))/g);
        this.#frames.push({ keyword, isCondition: false, isPattern: false });
        return;
      }
      default:
        leaveFrame(this.#frames, keyword);
    }
  }

  #skipHeader(end: RegExp): void {
    end.lastIndex = this.#at;
    this.#at = end.exec(this.#text)?.index ?? this.#text.length;
  }

  #command(start: number): Draft {
    this.#open ??= {
      words: [],
      assignments: [],
      redirects: [],
      before: this.#connector,
      after: "end",
      depth: this.#frames.length,
      isCondition: this.#isNegated || this.#frames.some(({ isCondition }) => isCondition),
      statement: this.#statement,
      start,
      end: start,
    };
    return this.#open;
  }

  #finish(connector: Connector): void {
    if (this.#open !== undefined) {
      this.#open.after = connector;
      this.commands.push(this.#open);
      this.#open = undefined;
    } else if (this.commands.length > 0 && connector !== "end" && connector !== ";") {
      // Behind a group: what it is joined to is joined to its last command.
      const last = this.commands.pop() as ShellCommand;
      this.commands.push({ ...last, after: connector });
    }
    if (connector !== "|") this.#isNegated = false;
    this.#connector = connector;
  }
}
