import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { displayWidth, truncate } from "../../../src/cli/progress/display-width.ts";
import { formatBytes, formatSeconds } from "../../../src/cli/progress/format.ts";
import { LineSplitter } from "../../../src/cli/progress/line-splitter.ts";

describe("formatBytes()", () => {
  it.each([
    [0, "0B"],
    [999, "999B"],
    [1000, "1.00kB"],
    [12_345, "12.3kB"],
    [999_600, "1.00MB"],
    [41_230_000, "41.2MB"],
    [7.5e9, "7.50GB"],
  ])("of %i is %s", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

describe("formatSeconds()", () => {
  it("never goes below zero", () => {
    expect([-5, 0, 49, 51, 75_000].map(formatSeconds)).toEqual(["0.0s", "0.0s", "0.0s", "0.1s", "75.0s"]);
  });
});

describe("displayWidth()", () => {
  it.each([
    ["abc", 3],
    ["日本", 4],
    ["e\u0301", 1],
    ["👍", 2],
    ["한글", 4],
    ["ñ", 1],
    ["\u200b", 0],
    ["ａ", 2],
  ])("of %j is %i", (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });
});

describe("truncate()", () => {
  it("never takes more cells than it may", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.nat(30), (text, cells) => {
        const cut = truncate(text, cells);
        expect(displayWidth(cut)).toBeLessThanOrEqual(cells);
        if (displayWidth(text) <= cells && cells > 0) expect(cut).toBe(text);
      }),
    );
  });
});

describe("LineSplitter", () => {
  it("gives the same lines however the bytes are cut", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme" })), fc.array(fc.nat(5)), (parts, cuts) => {
        const bytes = Buffer.from(parts.join("\n"));
        const whole = new LineSplitter();
        const expected = [...whole.push(bytes), ...whole.flush()];
        const cut = new LineSplitter();
        const lines: string[] = [];
        let at = 0;
        for (const length of cuts) {
          lines.push(...cut.push(bytes.subarray(at, at + length)));
          at += length;
        }
        lines.push(...cut.push(bytes.subarray(at)), ...cut.flush());
        expect(lines).toEqual(expected);
      }),
    );
  });

  it("takes the last state of a line that was written over, and drops a carriage return before the newline", () => {
    expect(new LineSplitter().push(Buffer.from("1%\r50%\r100%\r\nnext\r\n"))).toEqual(["100%", "next"]);
  });

  it("breaks a line that never ends", () => {
    const splitter = new LineSplitter();
    let lines = 0;
    for (let chunk = 0; chunk < 100; chunk++) lines += splitter.push(Buffer.alloc(1024, "x")).length;
    expect(lines).toBeGreaterThan(4);
    expect(splitter.open.length).toBeLessThanOrEqual(16 * 1024);
  });
});
