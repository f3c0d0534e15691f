import { describe, expect, test } from "vitest";
import { afterChunk, afterDoubt } from "../../../src/registry/blobs/chunk-answer.ts";
import { chunkLimits } from "../../../src/registry/quirks.ts";

const MIB = 1024 * 1024;

describe("afterChunk()", () => {
  test.each<[string, { offset: number; told: number }, number, string | undefined, object]>([
    [
      "the count that was sent",
      { offset: 0, told: 0 },
      100,
      "0-99",
      { kind: "continue", state: { offset: 100, told: 100 } },
    ],
    [
      "no count",
      { offset: 0, told: 0 },
      100,
      undefined,
      { kind: "continue", state: { offset: 100, told: 0 } },
    ],
    [
      "a count that never moves",
      { offset: 200, told: 100 },
      300,
      "0-99",
      { kind: "continue", state: { offset: 300, told: 100 } },
    ],
    [
      "the count of nothing",
      { offset: 0, told: 0 },
      100,
      "0-0",
      { kind: "continue", state: { offset: 100, told: 0 } },
    ],
    [
      "a short accept",
      { offset: 100, told: 100 },
      200,
      "0-149",
      { kind: "continue", state: { offset: 150, told: 150 } },
    ],
    [
      "more than was sent",
      { offset: 0, told: 0 },
      100,
      "0-149",
      { kind: "restart", reason: "it has more bytes than were sent" },
    ],
    [
      "less than before",
      { offset: 200, told: 0 },
      300,
      "0-99",
      { kind: "restart", reason: "it has fewer bytes than before" },
    ],
    ["nonsense", { offset: 0, told: 0 }, 100, "all", { kind: "continue", state: { offset: 100, told: 0 } }],
  ])("%s", (_name, state, sent, range, expected) => {
    expect(afterChunk(state, sent, range)).toEqual(expected);
  });
});

describe("afterDoubt()", () => {
  test.each<[string, number, number, string | undefined, object]>([
    ["all of it arrived", 100, 200, "0-199", { kind: "continue", state: { offset: 200, told: 200 } }],
    ["none of it arrived", 100, 200, "0-99", { kind: "continue", state: { offset: 100, told: 100 } }],
    ["a part arrived", 100, 200, "0-149", { kind: "continue", state: { offset: 150, told: 150 } }],
    ["less than before", 100, 200, "0-49", { kind: "restart", reason: "it does not tell how much it has" }],
    [
      "more than was sent",
      100,
      200,
      "0-299",
      { kind: "restart", reason: "it does not tell how much it has" },
    ],
    ["no word", 100, 200, undefined, { kind: "restart", reason: "it does not tell how much it has" }],
  ])("%s", (_name, offset, sent, range, expected) => {
    expect(afterDoubt({ offset, told: offset }, sent, range)).toEqual(expected);
  });
});

test("chunkLimits() knows the registries that cannot be asked", () => {
  expect(chunkLimits("ghcr.io").maxBytes).toBe(4 * MIB);
  expect(chunkLimits("123.dkr.ecr.eu-west-1.amazonaws.com").minBytes).toBe(5 * MIB);
  expect(chunkLimits("europe-docker.pkg.dev").supported).toBe(false);
  expect(chunkLimits("eu.gcr.io").supported).toBe(false);
  expect(chunkLimits("notgcr.io")).toEqual({ minBytes: 0, maxBytes: 16 * MIB, supported: true });
});
