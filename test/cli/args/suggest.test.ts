import { describe, expect, it } from "vitest";
import { suggest } from "../../../src/cli/args/suggest.ts";

describe("suggest()", () => {
  const flags = ["tag", "target", "build-arg", "build-context", "no-cache-filter"];

  it.each([
    ["tga", "tag"],
    ["buildarg", "build-arg"],
    ["targte", "target"],
    ["no-cache-f", "no-cache-filter"],
    ["xyz", undefined],
    ["no", undefined],
  ])("for %j is %j", (word, expected) => {
    expect(suggest(word, flags)).toBe(expected);
  });
});
