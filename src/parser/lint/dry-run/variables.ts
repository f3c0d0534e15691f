import type { EscapeCharacter } from "../../ast.ts";
import { type ExpansionAttempt, splitWords, tryExpandWord } from "../../expand/expand-word.ts";

/** Variables with values, in the order in which they were last set. */
export class Variables {
  readonly #values: Map<string, string>;
  readonly #escape: EscapeCharacter;

  constructor(escapeChar: EscapeCharacter, values: Iterable<readonly [string, string]> = []) {
    this.#escape = escapeChar;
    this.#values = new Map(values);
  }

  get(name: string): string | undefined {
    return this.#values.get(name);
  }

  names(): Iterable<string> {
    return this.#values.keys();
  }

  set(name: string, value: string): void {
    this.#values.delete(name);
    this.#values.set(name, value);
  }

  copy(): Variables {
    return new Variables(this.#escape, this.#values);
  }

  tryExpand(word: string): ExpansionAttempt {
    return tryExpandWord(word, this.#values, { escape: this.#escape });
  }

  /** @throws {DockerfileError} BAD_SUBSTITUTION, without a place */
  expand(word: string): string {
    const { word: expanded, error } = this.tryExpand(word);
    if (error !== undefined) throw error;
    return expanded;
  }

  /** @throws {DockerfileError} BAD_SUBSTITUTION, without a place */
  split(words: string): readonly string[] {
    return splitWords(words, this.#values, { escape: this.#escape });
  }

  /** In the body of a heredoc quotes are characters like any other, and only a backslash escapes. */
  tryExpandBody(text: string): ExpansionAttempt {
    return tryExpandWord(text, this.#values, { keepQuotes: true });
  }
}
