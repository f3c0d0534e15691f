import { Automaton } from "./automaton.ts";
import { type ExpressionNode, parseExpression } from "./expression.ts";

/** Whether a pattern matches a path by itself, parents not considered. */
export type PathTest = (path: string) => boolean;

type Kind = "exact" | "prefix" | "suffix" | "regexp";

/**
 * What is escaped on the way to a regular expression. `^`, `[` and `]` mean something in patterns too; `|`, `{` and `}`
 * ought to be here, but Docker's table of these characters lacks everything from U+0040 on, so that in a pattern
 * with a wildcard they are alternatives and repetitions.
 */
const SPECIAL = new Set([".", "+", "(", ")", "$"]);

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
      return nodes === undefined ? undefined : matcher(nodes);
    }
    default:
      return kind satisfies never;
  }
}

function matcher(nodes: readonly ExpressionNode[]): PathTest | undefined {
  try {
    const automaton = new Automaton(nodes);
    return (path) => automaton.matches(path);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
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
