import type { Output } from "../output.ts";

const HIDE_CURSOR = "\u001b[?25l";
export const SHOW_CURSOR = "\u001b[?25h";
const CLEAR_LINE_END = "\u001b[K";
const CLEAR_BELOW = "\u001b[J";

/** One line of a frame, already coloured, with the cells it takes: at most the terminal's width. */
export interface FrameLine {
  readonly text: string;
  readonly width: number;
}

/** The part of a terminal that is drawn over and over: the lines just above the cursor. */
export class Screen {
  readonly #output: Output;
  #drawn: readonly FrameLine[] = [];
  #isCursorHidden = false;

  constructor(output: Output) {
    this.#output = output;
  }

  /** Puts `lines` in place of those drawn before; they must be fewer than the terminal's rows. */
  draw(lines: readonly FrameLine[]): void {
    const hide = this.#isCursorHidden ? "" : HIDE_CURSOR;
    this.#isCursorHidden = true;
    this.#output.write(hide + this.#replace(lines));
  }

  /** Puts `lines`, any number, in place of those drawn before, and leaves them: the next drawing starts below. */
  settle(lines: readonly FrameLine[]): void {
    this.#output.write(this.#replace(lines));
    this.#drawn = [];
    this.showCursor();
  }

  showCursor(): void {
    if (!this.#isCursorHidden) return;
    this.#isCursorHidden = false;
    this.#output.write(SHOW_CURSOR);
  }

  /** For a terminal that others have written to meanwhile: what was drawn stays, the next drawing starts below. */
  forget(): void {
    this.#drawn = [];
    this.#isCursorHidden = false;
  }

  #replace(lines: readonly FrameLine[]): string {
    const up = this.#rowsDrawn();
    this.#drawn = lines;
    const back = up === 0 ? "\r" : `\u001b[${up}A\r`;
    return `${back}${lines.map(({ text }) => `${text}${CLEAR_LINE_END}\n`).join("")}${CLEAR_BELOW}`;
  }

  /** Rows that the drawn lines take now: a terminal made narrower has broken the longer ones. */
  #rowsDrawn(): number {
    const columns = this.#output.columns ?? 80;
    const rows = this.#drawn.reduce((sum, { width }) => sum + Math.max(1, Math.ceil(width / columns)), 0);
    // What has scrolled out of sight can't be reached.
    return Math.min(rows, (this.#output.rows ?? 24) - 1);
  }
}
