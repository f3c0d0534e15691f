import { Automaton } from "./automaton.ts";
import { parseExpression } from "./expression.ts";

/** Whether a pattern matches a path by itself, parents not considered. */
export type PathTest = (path: string) => boolean;

type Kind = "exact" | "prefix" | "suffix" | "regexp";

/** What would mean something in a regular expression and nothing in a pattern. `^`, `[` and `]` are not among them. */
const SPECIAL = new Set([".", "+", "(", ")", "|", "{", "}", "$"]);

/**
 * Compiles a cleaned pattern (without `!`): `*` and `?` within a path's part, `**` across parts, `[…]` and `\` as in Go's
 * regular expressions. A pattern without any of them is compared as it is.
 *
 * @returns undefined if the pattern turns out to be malformed
 */
export function compilePattern(pattern: string): PathTest | undefined {
  const { kind, expression } = translate(pattern);
  switch (kind) {
    case "exact":
      return (path) => path === pattern;
    case "prefix": {
      const prefix = pattern.slice(0, -2);
      return (path) => path.startsWith(prefix);
    }
    case "suffix": {
      const suffix = pattern.slice(2);
      return (path) => path.endsWith(suffix) || (suffix.startsWith("/") && path === suffix.slice(1));
    }
    case "regexp": {
      const nodes = parseExpression(`${expression}$`);
      if (nodes === undefined) return undefined;
      const automaton = new Automaton(nodes);
      return (path) => automaton.matches(path);
    }
    default:
      return kind satisfies never;
  }
}

function translate(pattern: string): { readonly kind: Kind; readonly expression: string } {
  const chars = [...pattern];
  let kind: Kind = "exact";
  let expression = "^";
  let at = 0;
  const take = (wanted: string): boolean => {
    if (chars[at] !== wanted) return false;
    at++;
    return true;
  };
  // The library that defines this reads patterns with a scanner that drops a byte order mark.
  take("\ufeff");
  for (let isFirst = true; at < chars.length; isFirst = false) {
    const char = chars[at++] as string;
    if (char === "*" && take("*")) {
      // `**/` is `**`: any number of parts, none too.
      take("/");
      if (at < chars.length) {
        expression += "(.*/)?";
        kind = "regexp";
      } else if (kind === "exact") {
        kind = "prefix";
      } else {
        expression += ".*";
        kind = "regexp";
      }
      if (isFirst) kind = "suffix";
    } else if (char === "*" || char === "?") {
      expression += char === "*" ? "[^/]*" : "[^/]";
      kind = "regexp";
    } else if (SPECIAL.has(char)) {
      expression += `\\${char}`;
    } else if (char === "\\") {
      expression += `\\${chars[at] ?? ""}`;
      if (at < chars.length) kind = "regexp";
      at++;
    } else {
      expression += char;
      if (char === "[" || char === "]") kind = "regexp";
    }
  }
  return { kind, expression };
}
