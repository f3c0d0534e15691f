import { describe, expect, test } from "vitest";
import { resolveInTree } from "../../../src/builder/files/index.ts";
import type { ByteString } from "../../../src/oci/index.ts";
import { MemoryTree } from "./support.ts";

const link = (target: string) => ({ kind: "symlink", link: target as ByteString }) as const;

const tree = new MemoryTree({
  "real/sub/f": {},
  abs: link("/real"),
  rel: link("real/sub"),
  up: link("../../../real"),
  chain: link("abs/sub"),
  dangling: link("/no/where"),
  loop: link("loop"),
  "a/back": link("../rel"),
  "a/dots": link("../a/../real/./sub/"),
  root: link("/"),
  file: {},
});

test.each([
  ["/real/sub", "real/sub"],
  ["abs/sub/f", "real/sub/f"],
  ["rel/f", "real/sub/f"],
  ["up/sub", "real/sub"],
  ["chain/f", "real/sub/f"],
  ["a/back/f", "real/sub/f"],
  ["a/dots/f", "real/sub/f"],
  ["root/abs", "real"],
  ["root/root/root", ""],
  ["dangling/x", "no/where/x"],
  ["missing/../abs", "real"],
  ["missing/deep", "missing/deep"],
  ["file/x", "file/x"],
  ["", ""],
])("%s is %s", (path, resolved) => {
  expect(resolveInTree(tree, path, { followLast: true })).toBe(resolved);
});

test("the last part stays a link when asked to", () => {
  expect(resolveInTree(tree, "chain", { followLast: false })).toBe("chain");
  expect(resolveInTree(tree, "abs/sub", { followLast: false })).toBe("real/sub");
});

test(".. in the path itself goes by spelling, as Docker's does", () => {
  expect(resolveInTree(tree, "/rel/..", { followLast: true })).toBe("");
});

test("a link to itself is refused", () => {
  expect(() => resolveInTree(tree, "/loop/x", { followLast: true })).toThrow(
    'Cannot resolve "/loop/x": too many links',
  );
});

describe("with rejectEscapes", () => {
  const resolve = (path: string) => resolveInTree(tree, path, { followLast: true, rejectEscapes: true });
  test("a relative link above the root is refused", () => {
    expect(() => resolve("up/sub")).toThrow("statat up/sub: path escapes from parent");
  });
  test("an absolute link starts at the root, and after one nothing can escape", () => {
    expect(resolve("abs/sub")).toBe("real/sub");
    expect(resolve("root/up")).toBe("real");
  });
});
