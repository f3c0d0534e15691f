import { Failure } from "./failure.ts";
import { type PatternResult, removePrefix, removeSuffix, replacePattern } from "./substitute.ts";

/** What stands behind the name in `${NAME:-word}`. */
export interface Modifier {
  /** `-`, `+`, `?`, `#` or `%`; anything else is refused. */
  readonly operator: string;
  /** With the colon in front of it, if there is one. */
  readonly written: string;
  /** Expanded. `##` and `%%` are an operator and a word that begins with the second sign. */
  readonly word: string;
  /** A colon: an empty value counts as none. */
  readonly emptyIsUnset: boolean;
}

/**
 * The value of a substitution with a modifier.
 * @throws {Failure} what `?` says, an unknown operator, a bad pattern
 */
export function modified(name: string, value: string | undefined, modifier: Modifier): string {
  const { operator, word } = modifier;
  const absent = value === undefined || (modifier.emptyIsUnset && value === "");
  switch (operator) {
    case "-":
      return absent ? word : value;
    case "+":
      return absent ? "" : word;
    case "?": {
      if (!absent) return value;
      const state = value === undefined ? "unset" : "empty";
      throw new Failure(`${name}: ${word === "" ? `is not allowed to be ${state}` : word}`);
    }
    case "#":
    case "%": {
      const greedy = word.startsWith(operator);
      const pattern = greedy ? word.slice(1) : word;
      const remove = operator === "#" ? removePrefix : removeSuffix;
      return orFail(pattern, remove(value ?? "", pattern, greedy));
    }
    default:
      throw new Failure(`unsupported modifier (${modifier.written}) in substitution`);
  }
}

/** The value of `${NAME/pattern/text}`; of `${NAME//pattern/text}` where `all`. @throws {Failure} a bad pattern */
export function replaced(
  value: string,
  pattern: string,
  by: { readonly text: string; readonly all: boolean },
): string {
  return orFail(pattern, replacePattern(value, pattern, by));
}

function orFail(pattern: string, result: PatternResult): string {
  if ("value" in result) return result.value;
  throw new Failure(`invalid pattern (${pattern}) in substitution: ${result.error}`);
}
