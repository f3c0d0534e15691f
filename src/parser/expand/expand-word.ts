import type { EscapeCharacter } from "../ast.ts";
import { DockerfileError } from "../error.ts";
import { type ExpansionModes, WordExpander } from "./word-expander.ts";

/** Variables by name; undefined where there is none. */
export type Environment = ReadonlyMap<string, string> | ((name: string) => string | undefined);

export interface ExpandOptions {
  /** The file's escape character; a backslash by default. */
  readonly escape?: EscapeCharacter;
  /** Leave variables that are not set as written. */
  readonly skipUnset?: boolean;
  /** Take quotes for ordinary characters, as in the body of a heredoc. */
  readonly keepQuotes?: boolean;
  /** Keep quotes in the result. */
  readonly rawQuotes?: boolean;
  /** Keep escapes in the result. */
  readonly rawEscapes?: boolean;
}

export interface Expansion {
  readonly word: string;
  /** Names that were looked up and found. */
  readonly matched: readonly string[];
  /** Names that were looked up and not found. */
  readonly unmatched: readonly string[];
}

/** An expansion that may have failed half-way; the names are those seen until then. */
export interface ExpansionAttempt extends Expansion {
  readonly error: DockerfileError | undefined;
}

/**
 * Expands the variables of a word and removes its quotes and escapes.
 *
 * @throws {DockerfileError} BAD_SUBSTITUTION
 * @example expandWord("${A:-x}/y", new Map()) // { word: "x/y", matched: [], unmatched: ["A"] }
 */
export function expandWord(word: string, env: Environment, options: ExpandOptions = {}): Expansion {
  const { error, ...expansion } = tryExpandWord(word, env, options);
  if (error !== undefined) throw error;
  return expansion;
}

/** Like {@link expandWord}, but hands the error back together with the names seen before it. */
export function tryExpandWord(word: string, env: Environment, options: ExpandOptions = {}): ExpansionAttempt {
  const expander = new WordExpander(word, lookupOf(env), modesOf(options), false);
  const result = expander.run();
  return {
    word: result.error === undefined ? result.word : "",
    matched: [...expander.matched],
    unmatched: [...expander.unmatched],
    error: result.error === undefined ? undefined : failure(word, result.error),
  };
}

/**
 * Expands like {@link expandWord} and splits at blanks that are not quoted; what a variable brings is split too.
 * An empty quoted word vanishes.
 *
 * @throws {DockerfileError} BAD_SUBSTITUTION
 */
export function splitWords(words: string, env: Environment, options: ExpandOptions = {}): readonly string[] {
  const result = new WordExpander(words, lookupOf(env), modesOf(options), true).run();
  if (result.error !== undefined) throw failure(words, result.error);
  return result.words;
}

function lookupOf(env: Environment): (name: string) => string | undefined {
  return typeof env === "function" ? env : (name) => env.get(name);
}

function modesOf(options: ExpandOptions): ExpansionModes {
  return {
    escape: options.escape ?? "\\",
    skipUnset: options.skipUnset ?? false,
    keepQuotes: options.keepQuotes ?? false,
    rawQuotes: options.rawQuotes ?? false,
    rawEscapes: options.rawEscapes ?? false,
  };
}

const SHOWN_LENGTH = 120;

function failure(word: string, reason: string): DockerfileError {
  const shown = word.length > SHOWN_LENGTH ? `${word.slice(0, SHOWN_LENGTH)}…` : word;
  return new DockerfileError("BAD_SUBSTITUTION", `Cannot expand ${JSON.stringify(shown)}: ${reason}`, {
    hint: hintFor(reason),
  });
}

const FORMS = ["-default", "+alternative", "?message"]
  .map((part) => `\${x:${part}}`)
  .concat(
    ["#", "%"].map((operator) => `\${x${operator}pattern}`),
    `\${x/pattern/text}`,
  )
  .join(", ");

function hintFor(reason: string): string | undefined {
  if (reason.includes("single-quote")) return "Close the quote, or put the whole word into double quotes";
  if (reason.includes("double-quote")) return 'Close the quote, or write \\" for the character itself';
  if (reason.includes("missing '}'")) return `Every \${ needs its }; write \\$ for a dollar sign`;
  if (reason.includes("modifier") || reason.includes("bad substitution")) {
    return `Known are ${FORMS}`;
  }
  return undefined;
}
