import { skipSpace } from "../text/space.ts";
import { toWellFormed } from "../text/utf8.ts";

/** What an exec form is made of; offsets in the text that was read. */
export interface JsonToken {
  readonly type: "[" | "]" | "," | "string";
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

export type JsonForm =
  /** Not JSON, or not an array: the text is shell form. */
  | { readonly kind: "none" }
  | { readonly kind: "strings"; readonly values: readonly string[]; readonly tokens: readonly JsonToken[] }
  /** An array with something else in it, which is an error. */
  | { readonly kind: "other" };

/** How deep BuildKit's JSON reader follows arrays; deeper text is no JSON to it. */
const MAX_DEPTH = 10_000;

/**
 * Reads an argument text as exec form. Anything that is not exactly a JSON array is shell form.
 * @param text without blanks at its end
 */
export function readJsonForm(text: string): JsonForm {
  const start = skipSpace(text);
  // `[ -f x ] && y` is seen from its end to be none; making an error of it would cost more than all other reading.
  if (text.charAt(start) !== "[" || !text.endsWith("]")) return { kind: "none" };
  let value: unknown;
  try {
    value = JSON.parse(start === 0 ? text : text.slice(start));
  } catch {
    return { kind: "none" };
  }
  if (!Array.isArray(value)) return { kind: "none" };
  const items: readonly unknown[] = value;
  if (items.every((item) => typeof item === "string")) {
    return { kind: "strings", values: items.map(toWellFormed), tokens: tokenize(text, start, items) };
  }
  return isReadable(items) ? { kind: "other" } : { kind: "none" };
}

/** False for what JSON allows but BuildKit's reader refuses: numbers beyond a double, too deep nesting. */
function isReadable(root: readonly unknown[]): boolean {
  let level: unknown[] = [root];
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > MAX_DEPTH + 1) return false;
    const next: unknown[] = [];
    for (const item of level) {
      if (typeof item === "number" && !Number.isFinite(item)) return false;
      if (typeof item === "object" && item !== null)
        for (const child of Object.values(item)) next.push(child);
    }
    level = next;
  }
  return true;
}

/** The places of brackets, commas and strings in a text known to be a JSON array of strings. */
function tokenize(text: string, start: number, values: readonly string[]): JsonToken[] {
  const tokens: JsonToken[] = [];
  let seen = 0;
  for (let at = start; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === "[" || char === "]" || char === ",") {
      tokens.push({ type: char, value: char, start: at, end: at + 1 });
    } else if (char === '"') {
      const end = stringEnd(text, at);
      tokens.push({ type: "string", value: toWellFormed(values[seen++] as string), start: at, end });
      at = end - 1;
    }
  }
  return tokens;
}

function stringEnd(text: string, start: number): number {
  let at = start + 1;
  while (text.charAt(at) !== '"') at += text.charAt(at) === "\\" ? 2 : 1;
  return at + 1;
}
