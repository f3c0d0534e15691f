import { describe, expect, it } from "vitest";
import {
  formatDuration,
  plainList,
  quote,
  quoteList,
  quoteRune,
} from "../../../src/builder/graph/go-format.ts";

describe("quote()", () => {
  it.each([
    ["a b", '"a b"'],
    ['say "hi"', '"say \\"hi\\""'],
    ["back\\slash", '"back\\\\slash"'],
    ["tab\tnewline\n", '"tab\\tnewline\\n"'],
    ["\u0001\u007f", '"\\x01\\x7f"'],
    ["é漢", '"é漢"'],
    ["\u00a0\u200b", '"\\u00a0\\u200b"'],
  ])("writes %j as Go's %%q does", (value, expected) => {
    expect(quote(value)).toBe(expected);
  });
});

describe("quoteRune()", () => {
  it.each([
    [0, "'\\x00'"],
    [4, "'\\x04'"],
    [7, "'\\a'"],
    [10, "'\\n'"],
    [34, "'\"'"],
    [39, "'\\''"],
    [65, "'A'"],
    [92, "'\\\\'"],
    [128, "'\\u0080'"],
    [0xd800, "'\ufffd'"],
    [0x110000, "'\ufffd'"],
  ])("writes %d as Go's %%q does", (code, expected) => {
    expect(quoteRune(code)).toBe(expected);
  });
});

describe("lists", () => {
  it("are written as Go writes slices", () => {
    expect(quoteList(["/bin/sh", "-c", "a b"])).toBe('["/bin/sh" "-c" "a b"]');
    expect(plainList(["a", "b c"])).toBe("[a b c]");
    expect(quoteList([])).toBe("[]");
  });
});

describe("formatDuration()", () => {
  it.each([
    [0, "0s"],
    [1_500_000_000, "1.5s"],
    [300_000_000, "300ms"],
    [2_500_000, "2.5ms"],
    [7_000, "7µs"],
    [9, "9ns"],
    [60_000_000_000, "1m0s"],
    [5_430_000_000_000, "1h30m30s"],
  ])("writes %d ns as %s", (nanoseconds, expected) => {
    expect(formatDuration(nanoseconds)).toBe(expected);
  });
});
