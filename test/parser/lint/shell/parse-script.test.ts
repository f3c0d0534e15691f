import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseScript } from "../../../../src/parser/lint/shell/parse-script.ts";
import { everyCommand } from "../../../../src/parser/lint/shell/script.ts";

/** Each command as its words and what follows it; `?` marks conditions, the number is the depth where there is one. */
function shown(text: string): readonly string[] {
  return parseScript(text).commands.map(({ words, assignments, after, depth, isCondition }) =>
    [
      ...assignments.map((word) => word.text),
      ...words.map((word) => word.text),
      after === "end" ? "." : after,
      ...(depth === 0 ? [] : [`d${depth}`]),
      ...(isCondition ? ["?"] : []),
    ].join(" "),
  );
}

describe("parseScript()", () => {
  it.each([
    ["a && b || c; d", ["a &&", "b ||", "c ;", "d ."]],
    ["a 'b c' \"d $e\" f\\ g", ["a b c d $e f g ."]],
    ["A=1 B='x y' c", ["A=1 B=x y c ."]],
    ["a | b 2>&1 | c > f", ["a |", "b |", "c ."]],
    ["a # b\nc", ["a ;", "c ."]],
    ["a#b", ["a#b ."]],
    ["a \\\n b", ["a b ."]],
    [
      "if ! a; then b; elif c; then d; else e; fi && f",
      ["a ; d1 ?", "b ; d1", "c ; d1 ?", "d ; d1", "e && d1", "f ."],
    ],
    ["for x in a b; do c $x; done; d", ["c $x ; d1", "d ."]],
    ["while a; do b; done", ["a ; d1 ?", "b ; d1"]],
    ["case $x in a|b) c;; *) d ;; esac; e", ["c ; d1", "d ; d1", "e ."]],
    ["f() { a; }; function g { b; }; c", ["a ; d1", "b ; d1", "c ."]],
    ["(a; b) | c", ["a ; d1", "b | d1", "c ."]],
    ["[[ a && b ]] || c", ["[[ a b ]] ||", "c ."]],
    ["cat <<E > f\na; b\nE\nc", ["cat ;", "c ."]],
    ["cat <<-'E'\n\tx\n\tE\nc", ["cat ;", "c ."]],
    ["echo $((1 + 2)) ${a:-b c}", ["echo $((1 + 2)) ${a:-b c} ."]],
    ["echo if then", ["echo if then ."]],
    ["", []],
  ])("%j", (text, expected) => {
    expect(shown(text)).toEqual(expected);
  });

  it.each([
    ["a $(b | c) d", ["a", "b", "c"]],
    ["a `b c`", ["a", "b"]],
    ['sh -c "$(curl x)"', ["sh", "curl"]],
    ["bash <(curl x)", ["bash", "curl"]],
    ["X=$(a $(b))", ["", "a", "b"]],
    ["a > $(b)", ["a", "b"]],
    ["a '$(b)'", ["a"]],
  ])("finds commands inside of words: %j", (text, programs) => {
    const found = Array.from(everyCommand(parseScript(text).commands), ({ words }) => words[0]?.text ?? "");
    expect(found).toEqual(programs);
  });

  it("knows where commands stand, those in backticks too", () => {
    const text = "a && `b c` && d";
    const cut = Array.from(everyCommand(parseScript(text).commands), ({ start, end }) =>
      text.slice(start, end),
    );
    expect(cut).toEqual(["a", "`b c`", "b c", "d"]);
  });

  it("tells words that an expansion decides", () => {
    const [command] = parseScript("a '$b' $c \"$d\" e* $").commands;
    expect(command?.words.map(({ isLiteral }) => isLiteral)).toEqual([true, true, false, false, true, true]);
  });

  it("numbers the statements of the outermost level", () => {
    const { commands } = parseScript("a && b; { c; d; }\nif e; then f; fi; g");
    expect(commands.map(({ statement }) => statement)).toEqual([0, 0, 1, 1, 2, 2, 3]);
  });

  it("ends for any text, with places inside of it", () => {
    const piece = fc.constantFrom(
      ..."a;&|(){}<>$`'\"\\ \n#!=".split(""),
      "if ",
      "case ",
      " in ",
      "esac",
      "<<E",
      "$(",
      "fi",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const text = pieces.join("");
        for (const { start, end } of parseScript(text).commands) {
          expect(start).toBeGreaterThanOrEqual(0);
          expect(end).toBeGreaterThanOrEqual(start);
          expect(end).toBeLessThanOrEqual(text.length);
        }
      }),
    );
  });

  it("is not led into endless depth", () => {
    for (const opener of ["$(", "(", "`", "{ ", "${", "if ", "case x in "]) {
      expect(() => parseScript(opener.repeat(20_000))).not.toThrow();
    }
  });
});
