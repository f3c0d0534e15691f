import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson, computeCacheKey, type Ingredient } from "../../src/cache/index.ts";

describe("computeCacheKey()", () => {
  it("does not depend on the order in which ingredients are listed", () => {
    expect(computeCacheKey({ a: 1, b: { c: [1, 2], d: null } })).toBe(
      computeCacheKey({ b: { d: null, c: [1, 2] }, a: 1 }),
    );
  });

  it.each<[Record<string, Ingredient>, Record<string, Ingredient>]>([
    [{ env: ["A=1", "B=2"] }, { env: ["B=2", "A=1"] }],
    [{ env: ["A=1"] }, { env: ["A=2"] }],
    [{ user: "" }, { user: null }],
    [{ argv: ["a b"] }, { argv: ["a", "b"] }],
    [{ n: 1 }, { n: "1" }],
  ])("tells %j from %j", (one, other) => {
    expect(computeCacheKey(one)).not.toBe(computeCacheKey(other));
  });
});

describe("canonicalJson()", () => {
  it("is JSON of the same value, whatever the value", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value as Ingredient);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
