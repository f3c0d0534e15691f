import { describe, expect, it } from "vitest";
import { absolutePath, cleanPath } from "../../../src/builder/graph/paths.ts";

describe("absolutePath()", () => {
  it.each([
    ["/a/b", "/w", "/a/b"],
    ["b", "/w", "/w/b"],
    ["b/", "/w", "/w/b/"],
    [".", "/w", "/w/"],
    ["./", "/w", "/w/"],
    ["", "/w", "/w/"],
    ["x/.", "/w", "/w/x/"],
    ["/", "/w", "/"],
    ["..", "/", "/"],
    ["..", "/w/v", "/w"],
    ["../", "/w/v", "/w/"],
    [".././../bay", "/w", "/bay"],
    ["../..", "/w/x/y", "/w"],
    ["/a//b/../c", "/", "/a/c"],
    [".hidden", "/w", "/w/.hidden"],
  ])("makes %j in %j %j", (path, directory, expected) => {
    expect(absolutePath(path, directory)).toBe(expected);
  });
});

describe("cleanPath()", () => {
  it("drops the slash that says folder, but not the root's", () => {
    expect(cleanPath("a/", "/w")).toBe("/w/a");
    expect(cleanPath("/", "/w")).toBe("/");
  });
});
