import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Token } from "../../../src/parser/index.ts";
import { KEYWORDS } from "../../../src/parser/syntax/keywords.ts";
import { GrammarMatcher, isRejection } from "../../../src/parser/syntax/match-grammar.ts";

const keywords = Array.from(KEYWORDS.values(), ({ terminal }) => terminal);

function tokens(types: readonly string[]): readonly Token[] {
  return types.map((type) => ({ type, value: type, range: { start: 0, end: 0 } }));
}

describe("the grammar", () => {
  test("has been compiled", () => {
    const script = fileURLToPath(new URL("../../../scripts/grammar.mjs", import.meta.url));
    expect(() => execFileSync(process.execPath, [script, "--check"])).not.toThrow();
  });

  test("has a rule for every instruction", () => {
    const grammar = readFileSync(new URL("../../../grammar/dockerfile.ne", import.meta.url), "utf8");
    for (const keyword of keywords)
      expect(grammar).toMatch(new RegExp(`^${keyword.toLowerCase()}\\s+-> %${keyword} `, "m"));
  });

  test("is unambiguous: no list of tokens has two derivations", () => {
    const type = fc.constantFrom(
      "flag",
      "word",
      "AS",
      "text",
      "pair",
      "name",
      "definition",
      "[",
      "]",
      ",",
      "string",
      "heredoc",
      "NONE",
      "CMD",
      "trigger",
    );
    fc.assert(
      fc.property(fc.constantFrom(...keywords), fc.array(type, { maxLength: 7 }), (keyword, rest) => {
        // It throws where there are two.
        new GrammarMatcher().match(tokens([keyword, ...rest]));
      }),
      { numRuns: 5000 },
    );
  });

  test("finds parts by name", () => {
    expect(new GrammarMatcher().match(tokens(["COPY", "flag", "word", "word", "word", "heredoc"]))).toEqual({
      flags: [1],
      sources: [2, 3],
      destination: [4],
      heredocs: [5],
    });
  });

  test("says at which token it gave up", () => {
    const result = new GrammarMatcher().match(tokens(["FROM", "word", "word"]));
    expect(isRejection(result) && result.rejectedAt).toBe(2);
    const unfinished = new GrammarMatcher().match(tokens(["COPY", "word"]));
    expect(isRejection(unfinished) && unfinished.rejectedAt).toBe(2);
  });
});
