import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { editDistance, nearest } from "../../../src/cli/args/nearest.ts";

describe("editDistance()", () => {
  it.each([
    ["", "", 0],
    ["tag", "tag", 0],
    ["tga", "tag", 1],
    ["tag", "tags", 1],
    ["", "abc", 3],
    ["kitten", "sitting", 3],
  ])("of %j and %j is %i", (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });

  it("is symmetric and zero only for equal words", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, b) === 0).toBe(a === b);
      }),
    );
  });
});

describe("nearest()", () => {
  const flags = ["tag", "target", "build-arg", "build-context", "no-cache-filter"];

  it.each([
    ["tga", "tag"],
    ["buildarg", "build-arg"],
    ["targte", "target"],
    ["no-cache-f", "no-cache-filter"],
    ["xyz", undefined],
  ])("for %j is %j", (word, expected) => {
    expect(nearest(word, flags)).toBe(expected);
  });
});
