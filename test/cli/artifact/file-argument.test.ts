import { describe, expect, test } from "vitest";
import { checkMediaType, parseFileArgument, titleOf } from "../../../src/cli/artifact/file-argument.ts";

describe("parseFileArgument()", () => {
  const parse = (text: string, ...there: readonly string[]) => {
    const { path, mediaType } = parseFileArgument(text, (name) => there.includes(name));
    return [path, mediaType];
  };
  test.each([
    ["a.txt", [], ["a.txt", undefined]],
    ["a.txt:text/plain", ["a.txt"], ["a.txt", "text/plain"]],
    ["a.txt:text/plain", [], ["a.txt", "text/plain"]],
    ["-:application/spdx+json", [], ["-", "application/spdx+json"]],
    ["-", [], ["-", undefined]],
    // A name with a colon in it, and the ways to say that it is one.
    ["a:b", ["a:b"], ["a:b", undefined]],
    ["a:b:", [], ["a:b", undefined]],
    ["a:b:text/plain", ["a:b"], ["a:b", "text/plain"]],
    ["12:30/log", ["12:30/log"], ["12:30/log", undefined]],
    ["12:30/log", ["12", "12:30/log"], ["12", "30/log"]],
    ["12:30/log:", ["12:30/log"], ["12:30/log", undefined]],
    ["dir/a.json:application/vnd.x.y.v1+json", ["dir/a.json"], ["dir/a.json", "application/vnd.x.y.v1+json"]],
    ["a.txt:text/plain;charset=utf-8", ["a.txt"], ["a.txt", "text/plain;charset=utf-8"]],
  ])("reads %s where there is %j", (text, there, expected) => {
    expect(parse(text, ...there)).toEqual(expected);
  });

  test.each(["", ":", ":text/plain"])("refuses %j", (text) => {
    expect(() => parse(text)).toThrow(`Cannot read "${text}": it names no file`);
  });
});

test("checkMediaType() refuses what is none", () => {
  expect(checkMediaType("application/vnd.example.sbom+json", "--type")).toBe(
    "application/vnd.example.sbom+json",
  );
  for (const text of ["", "sbom", "a/b/c", "a b/c", "/x", "x/", "a/b\nc"])
    expect(() => checkMediaType(text, "--type")).toThrow("it is no media type");
});

describe("titleOf()", () => {
  test.each([
    ["a.txt", "a.txt"],
    ["./a.txt", "a.txt"],
    ["d/", "d"],
    ["d//e/./f", "d/e/f"],
    ["d/../e", "e"],
    [".", "."],
    ["./", "."],
    ["..a/b", "..a/b"],
    // Nobody could pull to these paths.
    ["/tmp/sbom.json", "sbom.json"],
    ["../other/d/", "d"],
    ["..", "user"],
    ["../..", "home"],
  ])("calls %s %s", (path, expected) => {
    expect(titleOf(path, "/home/user/here")).toBe(expected);
  });
});
