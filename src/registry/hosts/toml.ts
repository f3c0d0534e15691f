/** What a TOML document can hold here. Dates stay texts. */
export type TomlValue = string | number | boolean | readonly TomlValue[] | TomlTable;
export interface TomlTable {
  readonly [key: string]: TomlValue;
}

export function isTable(value: TomlValue | undefined): value is TomlTable {
  return typeof value === "object" && !Array.isArray(value);
}

type MutableTable = { [key: string]: TomlValue };

/** A fault in a TOML document, with its line. */
export class TomlError extends Error {
  constructor(line: number, fault: string) {
    super(`line ${line}: ${fault}`);
  }
}

/**
 * Parses TOML 1.0, as far as configuration files of registries go: all strings, tables, arrays of tables, inline tables,
 * numbers, booleans. Dates are kept as texts.
 * @throws {TomlError}
 * @see https://toml.io/en/v1.0.0
 */
export function parseToml(text: string): TomlTable {
  return new TomlParser(text).parse();
}

class TomlParser {
  readonly #text: string;
  #at = 0;
  readonly #root: MutableTable = newTable();
  /** Tables that were opened by a header, or made by a key: neither may be opened again. */
  readonly #closed = new Set<TomlValue>();

  constructor(text: string) {
    this.#text = text.replace(/^\uFEFF/, "").replace(/\r\n/g, "\n");
  }

  parse(): TomlTable {
    let table = this.#root;
    for (;;) {
      this.#skip(/[ \t\n]*(?:#[^\n]*)?/y);
      if (this.#at >= this.#text.length) return this.#root;
      if (this.#peek() === "\n") continue;
      if (this.#peek() === "[") table = this.#header();
      else this.#pair(table);
      this.#skip(/[ \t]*(?:#[^\n]*)?/y);
      if (this.#at < this.#text.length && this.#peek() !== "\n")
        throw this.#fault("something follows the value");
    }
  }

  #header(): MutableTable {
    const isArray = this.#text.startsWith("[[", this.#at);
    this.#at += isArray ? 2 : 1;
    const path = this.#keyPath();
    if (!this.#text.startsWith(isArray ? "]]" : "]", this.#at))
      throw this.#fault("the table's name does not end");
    this.#at += isArray ? 2 : 1;
    const last = path.pop() ?? "";
    const parent = this.#descend(this.#root, path);
    const existing = own(parent, last);
    const table = newTable();
    if (isArray) {
      if (existing !== undefined && (!Array.isArray(existing) || this.#closed.has(existing))) {
        throw this.#fault(`"${last}" is no array of tables`);
      }
      if (existing === undefined) parent[last] = [table];
      else (existing as TomlValue[]).push(table);
      return table;
    }
    if (existing === undefined) {
      parent[last] = table;
      this.#closed.add(table);
      return table;
    }
    if (!isTable(existing) || this.#closed.has(existing)) throw this.#fault(`"${last}" is there already`);
    this.#closed.add(existing);
    return existing;
  }

  #pair(into: MutableTable): void {
    const path = this.#keyPath();
    const last = path.pop() ?? "";
    const table = this.#descend(into, path);
    this.#skip(/[ \t]*/y);
    if (this.#peek() !== "=") throw this.#fault("a key needs a value");
    this.#at++;
    this.#skip(/[ \t]*/y);
    if (own(table, last) !== undefined) throw this.#fault(`"${last}" is there already`);
    table[last] = this.#value();
  }

  #descend(from: MutableTable, path: readonly string[]): MutableTable {
    let table = from;
    for (const key of path) {
      const next = own(table, key);
      if (next === undefined) {
        const made = newTable();
        table[key] = made;
        table = made;
        continue;
      }
      // A header goes into the newest table of an array.
      const inner = Array.isArray(next) ? next.at(-1) : next;
      if (!isTable(inner) || (Array.isArray(next) && this.#closed.has(next)))
        throw this.#fault(`"${key}" is no table`);
      table = inner;
    }
    return table;
  }

  #keyPath(): string[] {
    const path: string[] = [];
    for (;;) {
      this.#skip(/[ \t]*/y);
      path.push(this.#key());
      this.#skip(/[ \t]*/y);
      if (this.#peek() !== ".") return path;
      this.#at++;
    }
  }

  #key(): string {
    const quote = this.#peek();
    if (quote === '"' || quote === "'") return this.#string();
    const bare = this.#match(/[A-Za-z0-9_-]+/y);
    if (bare === undefined) throw this.#fault("a key is missing");
    return bare;
  }

  #value(): TomlValue {
    const start = this.#peek();
    if (start === '"' || start === "'") return this.#string();
    if (start === "[") return this.#array();
    if (start === "{") return this.#inlineTable();
    const word = this.#match(/[^\s,\]}#]+(?: \d\d:[^\s,\]}#]+)?/y);
    if (word === undefined) throw this.#fault("a value is missing");
    if (word === "true" || word === "false") return word === "true";
    if (/^[+-]?(?:inf|nan)$/.test(word))
      return word.endsWith("nan") ? Number.NaN : word.startsWith("-") ? -Infinity : Infinity;
    const digits = word.replace(/(?<=[0-9A-Fa-f])_(?=[0-9A-Fa-f])/g, "");
    if (/^(?:0x[0-9A-Fa-f]+|0o[0-7]+|0b[01]+)$/.test(digits)) return Number(digits);
    if (/^[+-]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/.test(digits)) return Number(digits);
    if (/^\d{4}-\d\d-\d\d|^\d\d:\d\d:/.test(word)) return word;
    throw this.#fault(`${JSON.stringify(word.slice(0, 40))} is no value`);
  }

  #array(): readonly TomlValue[] {
    const items: TomlValue[] = [];
    this.#at++;
    for (;;) {
      this.#skip(/(?:[ \t\n]|#[^\n]*)*/y);
      if (this.#peek() === "]") break;
      items.push(this.#value());
      this.#skip(/(?:[ \t\n]|#[^\n]*)*/y);
      if (this.#peek() === "]") break;
      if (this.#peek() !== ",") throw this.#fault("the list does not end");
      this.#at++;
    }
    this.#at++;
    this.#closed.add(items);
    return items;
  }

  #inlineTable(): TomlTable {
    const table = newTable();
    this.#at++;
    this.#skip(/[ \t]*/y);
    while (this.#peek() !== "}") {
      this.#pair(table);
      this.#skip(/[ \t]*/y);
      if (this.#peek() === "}") break;
      if (this.#peek() !== ",") throw this.#fault("the table does not end");
      this.#at++;
      this.#skip(/[ \t]*/y);
    }
    this.#at++;
    this.#closed.add(table);
    return table;
  }

  #string(): string {
    const quote = this.#peek() ?? '"';
    const isLong = this.#text.startsWith(quote.repeat(3), this.#at);
    this.#at += isLong ? 3 : 1;
    if (isLong && this.#peek() === "\n") this.#at++;
    let value = "";
    for (;;) {
      const char = this.#peek();
      if (char === undefined || (char === "\n" && !isLong)) throw this.#fault("a text does not end");
      if (this.#text.startsWith(quote.repeat(isLong ? 3 : 1), this.#at)) {
        this.#at += isLong ? 3 : 1;
        // Up to two quotes may stand before the three that end it.
        while (isLong && this.#peek() === quote) {
          value += quote;
          this.#at++;
        }
        return value;
      }
      if (char === "\\" && quote === '"') value += this.#escape(isLong);
      else {
        value += char;
        this.#at++;
      }
    }
  }

  #escape(isLong: boolean): string {
    if (isLong && this.#match(/\\[ \t]*\n[ \t\n]*/y) !== undefined) return "";
    const code = this.#match(/\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8}/y);
    if (code !== undefined) {
      const point = Number.parseInt(code.slice(2), 16);
      if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) throw this.#fault("that is no character");
      return String.fromCodePoint(point);
    }
    const simple = this.#match(/\\[btnfre"\\]/y);
    if (simple === undefined) throw this.#fault("an escape that is none");
    return ESCAPES[simple[1] ?? ""] ?? "";
  }

  #peek(): string | undefined {
    return this.#text[this.#at];
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#at = pattern.lastIndex;
    return match[0];
  }

  #skip(pattern: RegExp): void {
    this.#match(pattern);
  }

  #fault(fault: string): TomlError {
    return new TomlError(this.#text.slice(0, this.#at).split("\n").length, fault);
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  b: "\b",
  t: "\t",
  n: "\n",
  f: "\f",
  r: "\r",
  e: "\u001b",
  '"': '"',
  "\\": "\\",
};

/** Without a prototype a key like "constructor" is a key like any other. */
function newTable(): MutableTable {
  return Object.create(null) as MutableTable;
}

function own(table: MutableTable, key: string): TomlValue | undefined {
  return table[key];
}
