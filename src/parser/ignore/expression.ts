import { equals, not, PERL_CLASSES, POSIX_CLASSES, type Test, unicodeProperty } from "./char-test.ts";

/*
 * Ignore patterns are defined by being turned into regular expressions of Go's RE2 dialect, and what a pattern's author
 * escapes or brackets reaches that dialect: `\d` is a digit, `[[:alpha:]]` a class. This reads as much of the dialect as
 * such a pattern can contain (see pattern.ts); an expression always begins with `^`. automaton.ts matches it.
 */

export type ExpressionNode =
  | { readonly kind: "one"; readonly test: Test }
  | { readonly kind: "start" | "end" }
  | { readonly kind: "word-boundary"; readonly wanted: boolean }
  | { readonly kind: "group" | "star" | "optional"; readonly body: readonly ExpressionNode[] }
  | {
      readonly kind: "repeat";
      readonly min: number;
      readonly max: number;
      readonly body: readonly ExpressionNode[];
    }
  | { readonly kind: "either"; readonly branches: readonly (readonly ExpressionNode[])[] };

/** @returns undefined if the expression is malformed */
export function parseExpression(expression: string): readonly ExpressionNode[] | undefined {
  return new ExpressionParser(expression).parse();
}

function codePoint(char: string): number {
  return char.codePointAt(0) as number;
}

const ESCAPED_CONTROLS: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };
/** Numbers have no leading zeros; what is not of this form are ordinary characters. */
const REPEAT = /^\{(0|[1-9][0-9]*)(,(0|[1-9][0-9]*)?)?\}/;
const MAX_REPEAT = 1000;
const ANYTHING: ExpressionNode = { kind: "star", body: [{ kind: "one", test: () => true }] };

class Malformed extends Error {}

/** Reads the expressions that pattern.ts writes; see there for what can be in them. */
class ExpressionParser {
  readonly #chars: readonly string[];
  #at = 0;

  constructor(expression: string) {
    this.#chars = [...expression];
  }

  parse(): readonly ExpressionNode[] | undefined {
    try {
      const branches = [this.#sequence()];
      while (this.#peek() === "|") {
        this.#at++;
        branches.push(this.#sequence());
      }
      if (this.#at < this.#chars.length) return undefined;
      const [only = []] = branches;
      if (branches.length === 1 && only[0]?.kind === "start") return only;
      // Only the first branch has the ^ that stands at the beginning, and `^{0,2}` may be no ^ at all: the rest of
      // such an expression matches anywhere.
      return [ANYTHING, { kind: "either", branches }];
    } catch (error) {
      if (error instanceof Malformed) return undefined;
      throw error;
    }
  }

  #peek(offset = 0): string {
    return this.#chars[this.#at + offset] ?? "";
  }

  #take(): string {
    return this.#chars[this.#at++] ?? "";
  }

  #sequence(): readonly ExpressionNode[] {
    const nodes: ExpressionNode[] = [];
    while (this.#at < this.#chars.length && this.#peek() !== ")" && this.#peek() !== "|") {
      const items = this.#item();
      const last = items.at(-1);
      const quantify = last === undefined ? undefined : this.#quantifier();
      if (last === undefined || quantify === undefined) nodes.push(...items);
      else nodes.push(...items.slice(0, -1), quantify([last]));
    }
    return nodes;
  }

  /** Takes `*`, `?`, `{2}`, `{2,}` or `{2,3}`, if one is there. */
  #quantifier(): ((body: readonly ExpressionNode[]) => ExpressionNode) | undefined {
    const char = this.#peek();
    if (char === "*" || char === "?") {
      this.#at++;
      return (body) => ({ kind: char === "*" ? "star" : "optional", body });
    }
    const repeat = char === "{" ? REPEAT.exec(this.#chars.slice(this.#at, this.#at + 20).join("")) : null;
    if (repeat === null) return undefined;
    this.#at += repeat[0].length;
    const min = Number(repeat[1]);
    const max =
      repeat[2] === undefined ? min : repeat[3] === undefined ? Number.POSITIVE_INFINITY : Number(repeat[3]);
    if (min > MAX_REPEAT || max < min || (max > MAX_REPEAT && Number.isFinite(max))) throw new Malformed();
    return (body) => ({ kind: "repeat", min, max, body });
  }

  #item(): readonly ExpressionNode[] {
    const char = this.#take();
    switch (char) {
      case "^":
        return [{ kind: "start" }];
      case "$":
        return [{ kind: "end" }];
      case ".":
        return [one((point) => point !== 0x0a)];
      case "[":
        return [one(this.#class())];
      case "\\":
        return this.#escape();
      case "(": {
        const body = this.#sequence();
        if (this.#take() !== ")") throw new Malformed();
        return [{ kind: "group", body }];
      }
      case "*":
      case "?":
      case "{":
        // Nothing to repeat, or something repeated already.
        this.#at--;
        if (this.#quantifier() !== undefined) throw new Malformed();
        this.#at++;
        return [literal(codePoint(char))];
      default:
        return [literal(codePoint(char))];
    }
  }

  #escape(): readonly ExpressionNode[] {
    const next = this.#peek();
    switch (next) {
      case "A":
        this.#at++;
        return [{ kind: "start" }];
      case "z":
        this.#at++;
        return [{ kind: "end" }];
      case "b":
      case "B":
        this.#at++;
        return [{ kind: "word-boundary", wanted: next === "b" }];
      case "Q":
        this.#at++;
        return this.#quoted();
      default:
        return [one(this.#classEscape() ?? equals(this.#escapedChar()))];
    }
  }

  /** `\Q…\E`: everything in between stands for itself. */
  #quoted(): readonly ExpressionNode[] {
    const nodes: ExpressionNode[] = [];
    while (this.#at < this.#chars.length) {
      if (this.#peek() === "\\" && this.#peek(1) === "E") {
        this.#at += 2;
        break;
      }
      nodes.push(literal(codePoint(this.#take())));
    }
    return nodes;
  }

  /** Behind a backslash: `d`, `S`, `pL` … */
  #classEscape(): Test | undefined {
    const char = this.#peek();
    const perl = PERL_CLASSES[char.toLowerCase()];
    if (perl !== undefined) {
      this.#at++;
      return char === char.toLowerCase() ? perl : not(perl);
    }
    if (char !== "p" && char !== "P") return undefined;
    this.#at++;
    const property = unicodeProperty(this.#propertyName());
    if (property === undefined) throw new Malformed();
    const test: Test = (point) => property.test(String.fromCodePoint(point));
    return char === "p" ? test : not(test);
  }

  #propertyName(): string {
    if (this.#peek() !== "{") return this.#take();
    const end = this.#chars.indexOf("}", this.#at);
    if (end === -1) throw new Malformed();
    const name = this.#chars.slice(this.#at + 1, end).join("");
    this.#at = end + 1;
    return name;
  }

  /** Behind a backslash: one character. */
  #escapedChar(): number {
    const char = this.#take();
    if (char === "") throw new Malformed();
    if (/^[0-7]$/.test(char)) return this.#octal(char);
    if (char === "x") return this.#hex();
    const control = ESCAPED_CONTROLS[char];
    if (control !== undefined) return control;
    const point = codePoint(char);
    if (point < 0x80 && !/[0-9A-Za-z]/.test(char)) return point;
    throw new Malformed();
  }

  /** A single digit other than 0 would be a reference to a group, which RE2 does not have. */
  #octal(first: string): number {
    if (first !== "0" && !/^[0-7]$/.test(this.#peek())) throw new Malformed();
    let digits = first;
    while (digits.length < 3 && /^[0-7]$/.test(this.#peek())) digits += this.#take();
    return Number.parseInt(digits, 8);
  }

  #hex(): number {
    if (this.#peek() === "{") {
      const braced = this.#propertyName();
      const point = /^[0-9A-Fa-f]+$/.test(braced) ? Number.parseInt(braced, 16) : Number.NaN;
      if (!(point <= 0x10ffff)) throw new Malformed();
      return point;
    }
    const digits = this.#take() + this.#take();
    if (!/^[0-9A-Fa-f]{2}$/.test(digits)) throw new Malformed();
    return Number.parseInt(digits, 16);
  }

  #class(): Test {
    const tests: Test[] = [];
    const negated = this.#peek() === "^";
    if (negated) this.#at++;
    for (let first = true; first || this.#peek() !== "]"; first = false) {
      if (this.#peek() === "") throw new Malformed();
      tests.push(this.#posixClass() ?? this.#classItem());
    }
    this.#at++;
    const any: Test = (point) => tests.some((test) => test(point));
    return negated ? not(any) : any;
  }

  #posixClass(): Test | undefined {
    if (this.#peek() !== "[" || this.#peek(1) !== ":") return undefined;
    const rest = this.#chars.slice(this.#at + 2).join("");
    const end = rest.indexOf(":]");
    if (end === -1) return undefined;
    const negated = rest.startsWith("^");
    const name = rest.slice(negated ? 1 : 0, end);
    const ranges = Object.hasOwn(POSIX_CLASSES, name) ? POSIX_CLASSES[name] : undefined;
    if (ranges === undefined) throw new Malformed();
    this.#at += end + 4;
    const test: Test = (point) =>
      ranges.some((range) => point >= range.charCodeAt(0) && point <= range.charCodeAt(1));
    return negated ? not(test) : test;
  }

  #classItem(): Test {
    if (this.#peek() === "\\") {
      this.#at++;
      const test = this.#classEscape();
      if (test !== undefined) return test;
      this.#at--;
    }
    const low = this.#classChar();
    let high = low;
    if (this.#peek() === "-" && this.#peek(1) !== "" && this.#peek(1) !== "]") {
      this.#at++;
      high = this.#classChar();
      if (high < low) throw new Malformed();
    }
    return (point) => point >= low && point <= high;
  }

  #classChar(): number {
    const char = this.#take();
    if (char === "") throw new Malformed();
    return char === "\\" ? this.#escapedChar() : codePoint(char);
  }
}

function one(test: Test): ExpressionNode {
  return { kind: "one", test };
}

function literal(point: number): ExpressionNode {
  return one(equals(point));
}
