import { expect, test } from "vitest";
import { baseName, cleanPath, joinPath, joinWorkdir, parentPath } from "../../../src/builder/files/path.ts";

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

test.each([
  ["/w", "x", "/w/x"],
  ["/w", "x/", "/w/x/"],
  ["/w", ".", "/w/"],
  ["/w", "", "/w/"],
  ["/w/v", "..", "/w"],
  ["/w/v", "../", "/w/"],
  ["/w", "/x/.", "/x/"],
  ["/w", "/", "/"],
  ["/", "..", "/"],
  ["/w", ".././../bay", "/bay"],
])("joinWorkdir(%j, %j) is %j", (workdir, path, joined) => {
  expect(joinWorkdir(workdir, path)).toBe(joined);
});

test("paths come apart and together at the last slash", () => {
  expect([parentPath("a/b/c"), baseName("a/b/c")]).toEqual(["a/b", "c"]);
  expect([parentPath("a"), baseName("a")]).toEqual(["", "a"]);
  expect([parentPath(""), baseName("")]).toEqual(["", ""]);
  expect([joinPath("", "a"), joinPath("a", ""), joinPath("a", "b")]).toEqual(["a", "a", "a/b"]);
});
