import { isSpace } from "../text/space.ts";

/** The words found so far on one level; the one being collected is handed in and out. */
export class WordList {
  readonly done: string[] = [];
  readonly #enabled: boolean;
  #inWord = false;

  constructor(enabled: boolean) {
    this.#enabled = enabled;
  }

  /** Text whose blanks separate words. */
  addText(partial: string, text: string): string {
    if (!this.#enabled) return "";
    let word = partial;
    let from = 0;
    for (let i = 0; i < text.length; i++) {
      if (!isSpace(text.charCodeAt(i))) {
        this.#inWord = true;
        continue;
      }
      word += text.slice(from, i);
      from = i + 1;
      if (this.#inWord && word !== "") {
        this.done.push(word);
        word = "";
        this.#inWord = false;
      }
    }
    return word + text.slice(from);
  }

  /** Text that belongs to a word whatever is in it. */
  addRaw(partial: string, text: string): string {
    if (!this.#enabled) return "";
    this.#inWord = true;
    return partial + text;
  }

  finish(partial: string): string {
    if (partial !== "") this.done.push(partial);
    this.#inWord = false;
    return "";
  }
}
