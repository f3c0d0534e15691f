import { type EscapeCharacter, type Expansion, expandWord, splitWords } from "../../parser/index.ts";
import type { EnvList } from "./env-list.ts";

/** Variable expansion as one Dockerfile has it: with its escape character. */
export class WordExpander {
  readonly #escape: EscapeCharacter;

  constructor(escapeCharacter: EscapeCharacter) {
    this.#escape = escapeCharacter;
  }

  /** A word with its variables replaced and its quotes removed. @throws {DockerfileError} */
  expand(word: string, env: EnvList): string {
    return this.expandWhole(word, env).word;
  }

  /** The same, with the variables that it found and those that have no value. @throws {DockerfileError} */
  expandWhole(word: string, env: EnvList): Expansion {
    return expandWord(word, env.asMap(), { escape: this.#escape });
  }

  /** Replaces variables in a heredoc's body, leaving quotes alone; the escape is always a backslash there. */
  expandBody(text: string, env: EnvList): string {
    return expandWord(text, env.asMap(), { escape: "\\", keepQuotes: true }).word;
  }

  /** A word's expansion, split at white space that was not quoted. */
  split(word: string, env: EnvList): readonly string[] {
    return splitWords(word, env.asMap(), { escape: this.#escape });
  }

  /** For showing a step: what is set is replaced, everything else stays as written. */
  expandForDisplay(text: string, env: EnvList): string {
    try {
      return expandWord(text, env.asMap(), { escape: this.#escape, skipUnset: true, rawQuotes: true }).word;
    } catch {
      return text;
    }
  }
}
