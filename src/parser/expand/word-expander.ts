import type { EscapeCharacter } from "../ast.ts";
import { toWellFormed } from "../text/utf8.ts";
import { Failure } from "./failure.ts";
import { modified, replaced } from "./modifier.ts";
import { variableNameEnd } from "./variable-name.ts";
import { WordList } from "./word-list.ts";

export interface ExpansionModes {
  readonly escape: EscapeCharacter;
  readonly skipUnset: boolean;
  readonly keepQuotes: boolean;
  readonly rawQuotes: boolean;
  readonly rawEscapes: boolean;
}

export interface ExpansionResult {
  readonly word: string;
  readonly words: readonly string[];
  readonly error: string | undefined;
}

/** `${a:-${b:-…}}` nested deeper than anybody writes; keeps hostile input from exhausting the stack. */
const MAX_DEPTH = 500;
/** What variables may add to a text. A process can't get a longer one, and `A=$A$A` doubles with every line. */
const MAX_GROWTH = 4 * 1024 * 1024;

/**
 * Variable expansion and word splitting as a Dockerfile has them: close to a POSIX shell's, with differences that
 * people rely on. One object per word: it holds the reading position.
 */
export class WordExpander {
  readonly matched = new Set<string>();
  readonly unmatched = new Set<string>();
  readonly #text: string;
  readonly #lookup: (name: string) => string | undefined;
  readonly #modes: ExpansionModes;
  readonly #split: boolean;
  readonly #limit: number;
  #at = 0;
  #rawEscapes: boolean;
  #depth = 0;
  /**
   * The word being collected. One for all levels of nesting, and emptied when a level starts: `a${x:-b}` splits into
   * the word `b` alone. That is what BuildKit does, and heredoc detection depends on it.
   */
  #partial = "";

  constructor(
    text: string,
    lookup: (name: string) => string | undefined,
    modes: ExpansionModes,
    split: boolean,
  ) {
    // A byte order mark at the very start is not read, and bytes that are no UTF-8 are read as U+FFFD.
    const clean = toWellFormed(text);
    this.#text = clean.startsWith("\ufeff") ? clean.slice(1) : clean;
    this.#lookup = lookup;
    this.#modes = modes;
    this.#rawEscapes = modes.rawEscapes;
    this.#split = split;
    this.#limit = text.length + MAX_GROWTH;
  }

  run(): ExpansionResult {
    try {
      return { ...this.#until("", this.#modes.rawEscapes), error: undefined };
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return { word: "", words: [], error: error.message };
    }
  }

  /** Reads up to and over the character `stop`, or, where that is "", to the end. */
  #until(stop: string, rawEscapes: boolean): { word: string; words: string[] } {
    if (++this.#depth > MAX_DEPTH) throw new Failure(`substitutions are nested more than ${MAX_DEPTH} deep`);
    const outer = this.#rawEscapes;
    this.#rawEscapes = rawEscapes;
    this.#partial = "";
    const words = new WordList(this.#split);
    let out = "";
    let closed = stop === "";
    while (this.#at < this.#text.length) {
      const char = this.#text.charAt(this.#at);
      if (char === stop) {
        this.#at++;
        closed = true;
        break;
      }
      out += this.#piece(char, words);
      if (out.length > this.#limit) throw new Failure(`the result is longer than ${MAX_GROWTH} characters`);
    }
    if (!closed) throw new Failure(`unexpected end of statement while looking for matching ${stop}`);
    this.#rawEscapes = outer;
    this.#depth--;
    this.#partial = words.finish(this.#partial);
    return { word: out, words: words.done };
  }

  #piece(char: string, words: WordList): string {
    if (char === "$") {
      const value = this.#dollar();
      this.#partial = words.addText(this.#partial, value);
      return value;
    }
    if (char === "<") return this.#raw(this.#possibleHeredoc(), words);
    if (!this.#modes.keepQuotes && char === "'") return this.#raw(this.#singleQuoted(), words);
    if (!this.#modes.keepQuotes && char === '"') return this.#raw(this.#doubleQuoted(), words);
    if (char === this.#modes.escape) {
      this.#at++;
      const kept = this.#rawEscapes ? char : "";
      // An escape at the very end is nothing but itself.
      return this.#raw(kept + this.#takeCodePoint(), words);
    }
    return this.#plain(words);
  }

  #raw(text: string, words: WordList): string {
    this.#partial = words.addRaw(this.#partial, text);
    return text;
  }

  /** A run of characters that mean nothing here; a stop character is never among them. */
  #plain(words: WordList): string {
    const start = this.#at;
    do this.#at++;
    while (this.#at < this.#text.length && !this.#isNotable(this.#text.charCodeAt(this.#at)));
    const text = this.#text.slice(start, this.#at);
    this.#partial = words.addText(this.#partial, text);
    return text;
  }

  #isNotable(unit: number): boolean {
    switch (unit) {
      case 0x24: // $
      case 0x3c: // <
      case 0x27: // '
      case 0x22: // "
      case 0x7d: // }
      case 0x2f: // /
      case 0x5c: // \
      case 0x60: // `
        return true;
      default:
        return false;
    }
  }

  #takeCodePoint(): string {
    const point = this.#text.codePointAt(this.#at);
    if (point === undefined) return "";
    const char = String.fromCodePoint(point);
    this.#at += char.length;
    return char;
  }

  #singleQuoted(): string {
    const end = this.#text.indexOf("'", this.#at + 1);
    if (end === -1) throw new Failure("unexpected end of statement while looking for matching single-quote");
    const start = this.#modes.rawQuotes ? this.#at : this.#at + 1;
    this.#at = end + 1;
    return this.#text.slice(start, this.#modes.rawQuotes ? end + 1 : end);
  }

  #doubleQuoted(): string {
    const quote = this.#modes.rawQuotes ? '"' : "";
    let out = quote;
    this.#at++;
    while (this.#at < this.#text.length) {
      const char = this.#text.charAt(this.#at);
      if (char === '"') {
        this.#at++;
        return out + quote;
      }
      if (char === "$") {
        out += this.#dollar();
      } else if (char === this.#modes.escape) {
        out += this.#quotedEscape(char);
      } else {
        const start = this.#at;
        do this.#at++;
        while (this.#at < this.#text.length && !this.#isNotable(this.#text.charCodeAt(this.#at)));
        out += this.#text.slice(start, this.#at);
      }
      if (out.length > this.#limit) throw new Failure(`the result is longer than ${MAX_GROWTH} characters`);
    }
    throw new Failure("unexpected end of statement while looking for matching double-quote");
  }

  /** In double quotes only `"`, `$` and the escape itself can be escaped; elsewhere the escape stays. */
  #quotedEscape(mark: string): string {
    this.#at++;
    const kept = this.#rawEscapes ? mark : "";
    const next = this.#text.charAt(this.#at);
    if (next === "") return kept;
    if (next !== '"' && next !== "$" && next !== mark) return kept + mark;
    this.#at++;
    return kept + next;
  }

  /** `<<` keeps the blanks behind it, so that `<< EOF` stays one word. */
  #possibleHeredoc(): string {
    const start = this.#at++;
    if (this.#text.charAt(this.#at) !== "<") return "<";
    this.#at++;
    while (/^[\t\r ]$/.test(this.#text.charAt(this.#at))) this.#at++;
    return this.#text.slice(start, this.#at);
  }

  #dollar(): string {
    this.#at++;
    if (this.#text.charAt(this.#at) === "{") return this.#braced();
    const name = this.#takeName();
    if (name === "") return "$";
    const value = this.#get(name);
    return value ?? (this.#modes.skipUnset ? `$${name}` : "");
  }

  #braced(): string {
    this.#at++;
    const first = this.#text.charAt(this.#at);
    if (first === "") throw new Failure("syntax error: missing '}'");
    if (first === "{" || first === "}" || first === ":") throw new Failure("syntax error: bad substitution");
    const name = this.#takeName();
    let operator = this.#takeCodePoint();
    if (operator === "}") {
      const value = this.#get(name);
      return value ?? (this.#modes.skipUnset ? `\${${name}}` : "");
    }
    if (operator === "/") return this.#replacement(name);
    let emptyIsUnset = false;
    let written = operator;
    if (operator === ":") {
      emptyIsUnset = true;
      operator = this.#takeCodePoint();
      written += operator;
    } else if (!"+-?#%".includes(operator) || operator === "") {
      // Where the word ends here, BuildKit shows the sign of a character that is none.
      throw new Failure(`unsupported modifier (${written || "\ufffd"}) in substitution`);
    }
    const isPattern = operator === "#" || operator === "%";
    if (isPattern && emptyIsUnset) throw new Failure(`unsupported modifier (${written}) in substitution`);
    const word = this.#nested("}", isPattern, "syntax error: missing '}'");
    const found = this.#get(name);
    if (found === undefined && this.#modes.skipUnset) return `\${${name}${written}${word}}`;
    return modified(name, found, { operator, written, word, emptyIsUnset });
  }

  #replacement(name: string): string {
    const all = this.#text.charAt(this.#at) === "/";
    if (all) this.#at++;
    const pattern = this.#nested("/", true, "syntax error: missing '/' in substitution");
    const text = this.#nested("}", true, "syntax error: missing '}'");
    const value = this.#get(name);
    if (value === undefined && this.#modes.skipUnset) return `\${${name}/${pattern}/${text}}`;
    const result = replaced(value ?? "", pattern, { text, all });
    if (result.length > this.#limit) throw new Failure(`the result is longer than ${MAX_GROWTH} characters`);
    return result;
  }

  /** What stands up to `stop`; a failure at the text's end is told as `atEnd`. */
  #nested(stop: string, rawEscapes: boolean, atEnd: string): string {
    try {
      return this.#until(stop, rawEscapes).word;
    } catch (error) {
      if (error instanceof Failure && this.#at >= this.#text.length) throw new Failure(atEnd);
      throw error;
    }
  }

  /** A variable's name, which may be empty. */
  #takeName(): string {
    const start = this.#at;
    this.#at = variableNameEnd(this.#text, start);
    return this.#text.slice(start, this.#at);
  }

  #get(name: string): string | undefined {
    const value = this.#lookup(name);
    (value === undefined ? this.unmatched : this.matched).add(name);
    return value;
  }
}
