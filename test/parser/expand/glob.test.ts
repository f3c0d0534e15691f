import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileGlob, findGlob, type Glob, matchGlobAt } from "../../../src/parser/expand/glob.ts";

const pattern = fc.array(fc.constantFrom("a", "b", "\n", "*", "?"), { maxLength: 6 });
const text = fc.array(fc.constantFrom("a", "b", "c", "\n"), { maxLength: 9 });

/** The regular expression that such a pattern stands for. */
function toRegExp(chars: readonly string[], options: { anchored: boolean; greedy: boolean }): RegExp {
  const body = chars
    .map((char) =>
      char === "*" ? (options.greedy ? "[^\\n]*" : "[^\\n]*?") : char === "?" ? "[^\\n]" : char,
    )
    .join("");
  return new RegExp(`${options.anchored ? "^" : ""}${body}`);
}

function compiled(chars: readonly string[]): Glob {
  const glob = compileGlob(chars);
  if (typeof glob === "string") throw new Error(glob);
  return glob;
}

describe("patterns in substitutions", () => {
  test.each([true, false])(
    "matchGlobAt() finds the end that a regular expression finds, greedy %s",
    (greedy) => {
      fc.assert(
        fc.property(pattern, text, (chars, subject) => {
          const match = toRegExp(chars, { anchored: true, greedy }).exec(subject.join(""));
          expect(matchGlobAt(compiled(chars), subject, 0, greedy)).toBe(match?.[0].length);
        }),
        { numRuns: 3000 },
      );
    },
  );

  test("findGlob() finds the place that a regular expression finds", () => {
    fc.assert(
      fc.property(pattern, text, (chars, subject) => {
        const match = toRegExp(chars, { anchored: false, greedy: true }).exec(subject.join(""));
        const wanted =
          match === null ? undefined : { start: match.index, end: match.index + match[0].length };
        expect(findGlob(compiled(chars), subject, 0)).toEqual(wanted);
      }),
      { numRuns: 3000 },
    );
  });

  test("only wildcards, the backslash, } and / can be escaped", () => {
    expect(compileGlob([..."\\*\\?\\\\\\}\\/"])).toEqual({ parts: [["*", "?", "\\", "}", "/"]] });
    expect(compileGlob([..."\\a"])).toBe("invalid escape '\\a'");
    expect(compileGlob(["\\"])).toBe("invalid escape '\\'");
  });
});
