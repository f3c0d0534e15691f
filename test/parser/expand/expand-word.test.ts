import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DockerfileError, expandWord, splitWords, tryExpandWord } from "../../../src/parser/index.ts";

const ENV: ReadonlyMap<string, string> = new Map([
  ["A", "a"],
  ["EMPTY", ""],
  ["TWO", "b c"],
  ["P", "/usr/local/bin"],
  ["G", "a*b"],
]);

const table = readFileSync(new URL("../../../fixtures/words/expansion.txt", import.meta.url), "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))
  .map((line) => line.split(" | ") as [input: string, word: string, words: string]);

function orError<T>(work: () => T): T | "error" {
  try {
    return work();
  } catch (error) {
    expect(error).toBeInstanceOf(DockerfileError);
    return "error";
  }
}

describe("expandWord() and splitWords()", () => {
  test.each(table)("%s", (input, word, words) => {
    const wanted = (column: string): unknown => (column === "error" ? "error" : JSON.parse(column));
    expect(orError(() => expandWord(input, ENV).word)).toEqual(wanted(word));
    expect(orError(() => splitWords(input, ENV))).toEqual(wanted(words));
  });

  test("show the end of the word in place of a modifier as BuildKit does", () => {
    expect(() => expandWord("${A", ENV)).toThrow("unsupported modifier (\ufffd) in substitution");
    expect(() => expandWord("${A=", ENV)).toThrow("unsupported modifier (=) in substitution");
  });

  test("tell which names were found and which were not", () => {
    expect(expandWord("$A${B:-$C}$A'$D'", ENV)).toEqual({
      word: "aa$D",
      matched: ["A"],
      unmatched: ["C", "B"],
    });
  });

  test("take the environment as a function too", () => {
    expect(expandWord("$x$y", (name) => (name === "x" ? "1" : undefined)).word).toBe("1");
  });

  test("know both escape characters", () => {
    expect(expandWord("`$A\\$A", ENV, { escape: "`" }).word).toBe("$A\\a");
  });

  test("leave unset variables, quotes and escapes where asked", () => {
    expect(expandWord("$A$X${X:-y}${X/a/b}", ENV, { skipUnset: true }).word).toBe("a$X${X:-y}${X/a/b}");
    expect(expandWord(`"$A"'$A'`, ENV, { keepQuotes: true }).word).toBe(`"a"'a'`);
    expect(expandWord(`"$A"'$A'`, ENV, { rawQuotes: true }).word).toBe(`"a"'$A'`);
    expect(expandWord(`a\\b"\\$"`, ENV, { rawEscapes: true }).word).toBe("a\\b\\$");
  });

  test("say what is wrong, what can be done, and nothing of a place", () => {
    expect(() => expandWord("${A", ENV)).toThrow(
      expect.objectContaining({ code: "BAD_SUBSTITUTION", at: undefined }),
    );
    expect(tryExpandWord("$A${X:?must be set}", ENV)).toMatchObject({
      word: "",
      matched: ["A"],
      unmatched: ["X"],
      error: { reason: 'Cannot expand "$A${X:?must be set}": X: must be set' },
    });
  });

  test("are the identity on text without special characters", () => {
    const plain = fc.string({ unit: "grapheme" }).map((text) => text.replace(/[$'"\\<\ufeff]/g, ""));
    fc.assert(fc.property(plain, (text) => void expect(expandWord(text, ENV).word).toBe(text)));
  });
});
