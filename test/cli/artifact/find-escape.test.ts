import { expect, test } from "vitest";
import { findEscape } from "../../../src/cli/artifact/find-escape.ts";
import type { ByteString } from "../../../src/oci/index.ts";

const escapeOf = (base: string, links: Readonly<Record<string, string>>) =>
  findEscape(new Map(Object.entries(links) as [ByteString, ByteString][]), base as ByteString);

test.each([
  ["d", { "d/a": "b" }],
  ["d", { "d/a": "." }],
  ["d", { "d/a/b": "../c" }],
  ["d", { "d/a": "gone/../b" }],
  ["", { a: "b/c", "b/c": "../a" }],
  ["", { a: "./b/../c" }],
  // In a circle, and many after one another.
  ["d", { "d/a": "a" }],
  ["d", { "d/a": "b", "d/b": "a" }],
])("findEscape() lets links below %j be: %j", (base, links) => {
  expect(escapeOf(base, links)).toBeUndefined();
});

test.each([
  ["d", { "d/a": "/etc" }, "d/a"],
  ["d", { "d/a": ".." }, "d/a"],
  ["d", { "d/fine": "x", "d/a": "../e" }, "d/a"],
  ["d", { "d/a/b": "../../e" }, "d/a/b"],
  ["", { a: ".." }, "a"],
  ["a/b", { "a/b/c": "../x" }, "a/b/c"],
  // One link leads up by way of another, which by itself stays inside.
  ["d", { "d/p/q": "../x/y", "d/a": "p/q/../../.." }, "d/a"],
  ["d", { "d/p/q/l": "../..", "d/a": "p/q/l/../e" }, "d/a"],
  ["", { p: ".", a: "p/p/p/.." }, "a"],
])("findEscape() finds what leads out of %j: %j", (base, links, expected) => {
  expect(escapeOf(base, links)).toBe(expected);
});
