import { describe, expect, test } from "vitest";
import { compileGlob, hasWildcard, matchBelow, splitWildcard } from "../../../src/builder/files/glob.ts";
import { bytes, MemoryTree } from "./support.ts";

describe("compileGlob()", () => {
  test.each([
    ["*", "abc", true],
    ["*", "a/b", false],
    ["a?c", "abc", true],
    ["a?c", "a/c", false],
    ["a?c", "aéc", true],
    ["[a-c]x", "bx", true],
    ["[a-c]x", "dx", false],
    ["[^f]x", "ax", true],
    ["[^f]x", "fx", false],
    ["[^f]x", "/x", true],
    ["[c-a]", "b", false],
    ["[!a]", "!", true],
    ["[]a]", "a", undefined],
    ["arr[[]0].txt", "arr[0].txt", true],
    ["a\\*b", "a*b", true],
    ["a\\*b", "axb", false],
    ["a.b", "axb", false],
    ["**", "ab", true],
    ["**/x", "a/x", true],
    ["**/x", "a/b/x", false],
    ["x*", "x\ny", true],
    ["[\\]]", "]", true],
    ["[a", "a", undefined],
    ["a\\", "a", undefined],
    ["[a-]", "a", undefined],
    ["[-a]", "a", undefined],
  ])("%j on %j: %j", (pattern, text, expected) => {
    if (expected === undefined) expect(() => compileGlob(pattern)).toThrow("syntax error in pattern");
    else expect(compileGlob(pattern).test(text)).toBe(expected);
  });
});

test("a backslash takes a wildcard its meaning", () => {
  expect(["a*", "a\\*", "a\\\\*", "a[", "a\\[b", "a?"].map(hasWildcard)).toEqual([
    true,
    false,
    true,
    true,
    false,
    true,
  ]);
});

test("splitWildcard() cuts before the first part with a wildcard", () => {
  expect(splitWildcard("a/b/c*/d")).toEqual({ fixed: "a/b", pattern: "c*/d" });
  expect(splitWildcard("*/d")).toEqual({ fixed: "", pattern: "*/d" });
  expect(splitWildcard("a/b")).toEqual({ fixed: "a/b", pattern: "" });
});

describe("matchBelow()", () => {
  const tree = new MemoryTree({
    "p/b/f": {},
    "p/a/f": {},
    "p/a/g": {},
    "p/l": { kind: "symlink", link: bytes("a") },
    "p/f": {},
  });
  const match = (pattern: string) => [...matchBelow(tree, bytes("p"), pattern)];

  test("goes by the names' order, folder by folder", () => {
    expect(match("*/f")).toEqual(["p/a/f", "p/b/f"]);
  });
  test("lists a folder, not what is in it", () => {
    expect(match("*")).toEqual(["p/a", "p/b", "p/f", "p/l"]);
  });
  test("follows no symlink on the way", () => {
    expect(match("l/*")).toEqual([]);
  });
  test("a class can match the slash between folder and name", () => {
    expect(match("a[^x]f")).toEqual(["p/a/f"]);
    expect(match("a[.-0]g")).toEqual(["p/a/g"]);
  });
});
