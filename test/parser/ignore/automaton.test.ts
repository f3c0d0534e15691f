import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Automaton } from "../../../src/parser/ignore/automaton.ts";
import { parseExpression } from "../../../src/parser/ignore/expression.ts";

function matches(expression: string, text: string): boolean | undefined {
  const nodes = parseExpression(expression);
  return nodes === undefined ? undefined : new Automaton(nodes).matches(text);
}

describe("the expressions of ignore patterns", () => {
  test("match as JavaScript's do, where the two dialects are one", () => {
    const piece = fc.constantFrom(
      "a",
      "b",
      "/",
      "[^/]*",
      "[^/]",
      "(.*/)?",
      ".*",
      "\\.",
      "[ab]",
      "[^a]",
      "\\d",
      "\\W",
      "\\b",
      "[a-c]",
      "\\x61",
      "é",
    );
    const text = fc.array(fc.constantFrom("a", "b", "c", "/", ".", "1", "é", "😀"), { maxLength: 8 });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), text, (pieces, chars) => {
        const expression = `^${pieces.join("")}$`;
        const wanted = new RegExp(expression, "us").test(chars.join(""));
        const automaton = new Automaton(parseExpression(expression) ?? []);
        // Twice: what was learnt from the first must not change the second.
        expect([automaton.matches(chars.join("")), automaton.matches(chars.join(""))]).toEqual([
          wanted,
          wanted,
        ]);
      }),
      { numRuns: 3000 },
    );
  });

  test.each([
    ["^[[:alpha:]]x$", "qx", true],
    ["^[[:^alpha:]]x$", "qx", false],
    ["^[\\]a]$", "]", true],
    ["^[a-]$", "-", true],
    ["^[a^]$", "^", true],
    ["^\\Qa.b[$", "a.b[$", true],
    ["^\\Qa\\E[^/]*$", "abc", true],
    ["^\\pL$", "é", true],
    ["^\\PL$", "é", false],
    ["^\\012$", "\n", true],
    ["^a^b$", "ab", false],
    ["^\\Aa\\z$", "a", true],
    ["^\\t$", "\t", true],
    ["^a.b$", "a\nb", false],
    ["^a{2}$", "aa", true],
    ["^a{2}$", "aaa", false],
    ["^a{2,}$", "aaaa", true],
    ["^a{0,2}b$", "b", true],
    ["^a{,2}$", "a{,2}", true],
    ["^a{02}$", "a{02}", true],
    ["^a|b$", "ax", true],
    ["^a|b$", "xb", true],
    ["^a|b$", "xa", false],
    ["^a|$", "x", true],
    ["^{0,2}a$", "ba", true],
    ["^\\p{Greek}\\p{^Lu}$", "αβ", true],
    ["^\\x{1F600}$", "😀", true],
  ])("%s on %j is %s", (expression, text, wanted) => {
    expect(matches(expression, text)).toBe(wanted);
  });

  test.each([
    "^[a$",
    "^[$",
    "^[z-a]$",
    "^\\q$",
    "^\\1$",
    "^\\8$",
    "^\\pX$",
    "^[[:nope:]]$",
    "^\\xg0$",
    "^\\C$",
    "^a{1001}$",
    "^a{2,1}$",
    "^[^/]*{2}$",
    "^a|{2}$",
    "^\\p{Nope}$",
    "^[\\d-a]x[b-\\d]$",
  ])("%s is malformed", (expression) => {
    expect(parseExpression(expression)).toBeUndefined();
  });
});
