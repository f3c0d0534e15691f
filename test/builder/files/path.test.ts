import { expect, test } from "vitest";
import { baseName, cleanPath, joinPath, parentPath } from "../../../src/builder/files/path.ts";

test.each([
  ["/a/b", "a/b"],
  ["a//b/./c/", "a/b/c"],
  ["a/../b", "b"],
  ["../../a", "a"],
  ["/", ""],
  ["", ""],
  [".", ""],
  ["...", "..."],
  [".a/..b", ".a/..b"],
])("cleanPath(%j) is %j", (path, clean) => {
  expect(cleanPath(path)).toBe(clean);
});

test("paths come apart and together at the last slash", () => {
  expect([parentPath("a/b/c"), baseName("a/b/c")]).toEqual(["a/b", "c"]);
  expect([parentPath("a"), baseName("a")]).toEqual(["", "a"]);
  expect([parentPath(""), baseName("")]).toEqual(["", ""]);
  expect([joinPath("", "a"), joinPath("a", ""), joinPath("a", "b")]).toEqual(["a", "a", "a/b"]);
});
