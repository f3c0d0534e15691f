import { isSpace, skipSpace } from "../text/space.ts";

const NAMES: ReadonlySet<string> = new Set(["syntax", "escape", "check"]);
const HEAD = /^([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=/;

export interface Directive {
  /** Lower case. */
  readonly name: string;
  readonly value: string;
}

/**
 * The directive on a line, if it is one: `PREFIX name = value`.
 *
 * @param line without its line ending
 * @param prefix `#`; also `//` where the syntax is looked for, and nothing in a comment already stripped
 */
export function matchDirective(line: string, prefix: string): Directive | undefined {
  if (!line.startsWith(prefix)) return undefined;
  const body = line.slice(skipSpace(line, prefix.length));
  const head = HEAD.exec(body);
  if (head === null) return undefined;
  const value = trimmedValue(body.slice(head[0].length));
  const name = (head[1] as string).toLowerCase();
  return value === "" || !NAMES.has(name) ? undefined : { name, value };
}

/** Trimmed of ASCII blanks; where there is nothing else, the last blank itself is the value. */
function trimmedValue(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isPatternSpace(text.charCodeAt(start))) start++;
  if (start === end) return text.slice(-1);
  while (isPatternSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isPatternSpace(unit: number): boolean {
  return unit < 0x80 && unit !== 0x0b && isSpace(unit);
}
