import { displayWidth } from "../../../src/cli/progress/display-width.ts";

/** A small terminal: what is on it after `text` was written. Knows the sequences the views use, and throws on others. */
export class FakeTerminal {
  readonly scrolledOut: string[] = [];
  isCursorShown = true;
  readonly #columns: number;
  readonly #rows: number;
  #screen: string[] = [""];
  #row = 0;
  #column = 0;

  constructor(size: { readonly columns: number; readonly rows: number }, text: string) {
    this.#columns = size.columns;
    this.#rows = size.rows;
    for (const [token] of text.matchAll(/\p{Cc}\[[0-9;?]*[A-Za-z]|./gsu)) this.#take(token);
  }

  /** Without the empty lines below the last one. */
  get lines(): readonly string[] {
    const last = this.#screen.findLastIndex((line) => line.trim() !== "");
    return this.#screen.slice(0, last + 1).map((line) => line.trimEnd());
  }

  #take(token: string): void {
    const up = /^\p{Cc}\[(\d+)A$/u.exec(token);
    if (up !== null) this.#row = Math.max(0, this.#row - Number(up[1]));
    else if (token === "\u001b[K") this.#screen[this.#row] = this.#before();
    else if (token === "\u001b[J") this.#screen = [...this.#screen.slice(0, this.#row), this.#before()];
    else if (token === "\u001b[?25l") this.isCursorShown = false;
    else if (token === "\u001b[?25h") this.isCursorShown = true;
    else if (token === "\r") this.#column = 0;
    else if (token === "\n") this.#nextRow();
    else if (/\p{Cc}/u.test(token)) throw new Error(`The terminal was sent ${JSON.stringify(token)}`);
    else this.#put(token);
  }

  #put(character: string): void {
    const width = displayWidth(character);
    if (this.#column + width > this.#columns) throw new Error("A line was longer than the terminal is wide");
    this.#screen[this.#row] = this.#before() + character + this.#after(width);
    this.#column += width;
  }

  #nextRow(): void {
    this.#row++;
    this.#column = 0;
    if (this.#row < this.#screen.length) return;
    this.#screen.push("");
    if (this.#screen.length <= this.#rows) return;
    this.scrolledOut.push((this.#screen.shift() as string).trimEnd());
    this.#row--;
  }

  #before(): string {
    return this.#cells(0, this.#column).padEnd(this.#column - this.#wideBefore());
  }

  #wideBefore(): number {
    const kept = this.#cells(0, this.#column);
    return displayWidth(kept) - [...kept].length;
  }

  #after(width: number): string {
    return this.#cells(this.#column + width, Number.POSITIVE_INFINITY);
  }

  #cells(from: number, to: number): string {
    let at = 0;
    let kept = "";
    for (const character of this.#screen[this.#row] ?? "") {
      if (at >= from && at < to) kept += character;
      at += displayWidth(character);
    }
    return kept;
  }
}
