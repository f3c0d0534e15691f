import { describe, expect, test } from "vitest";
import { isImageName } from "../../../src/parser/lint/dry-run/image-name.ts";
import { parsePlatformName } from "../../../src/parser/lint/dry-run/platform-name.ts";
import { corpusFolder, readJson } from "../shared-corpus.ts";

test.each([
  "a",
  "a/b:1",
  "localhost:5000/a",
  "User/a",
  "a@sha256:".concat("0".repeat(64)),
  "[::1]:80/a",
  "a__b/c--d.e_f",
])("%s names an image", (name) => {
  expect(isImageName(name)).toBe(true);
});

test.each([
  "",
  "A",
  "a:",
  "a b",
  "a/",
  "/a",
  "a..b",
  "a@sha256:0",
  "0".repeat(64),
  "a:-b",
  "$X",
  "a".repeat(300),
])("%s names none", (name) => {
  expect(isImageName(name)).toBe(false);
});

describe.skipIf(corpusFolder === undefined)("recorded answers", () => {
  test("image names", () => {
    const cases = readJson("image-references.json") as readonly { input: string; ok: boolean }[];
    expect(cases.filter(({ input, ok }) => isImageName(input) !== ok).map(({ input }) => input)).toEqual([]);
    console.log(`corpus, image names: ${cases.length} agree`);
  });
});

test.each([
  ["linux", "linux/amd64/"],
  ["arm64", "linux/arm64/"],
  ["Linux/AArch64", "linux/arm64/"],
  ["linux/arm/7", "linux/arm/v7"],
  ["windows(10.0.1)/amd64", "windows/amd64/"],
  ["macos/x86_64", "darwin/amd64/"],
  ["bogus", undefined],
  ["linux/", undefined],
  ["a/b/c/d", undefined],
])("platform %s", (text, wanted) => {
  const platform = parsePlatformName(text);
  expect(platform && `${platform.os}/${platform.architecture}/${platform.variant}`).toBe(wanted);
});
