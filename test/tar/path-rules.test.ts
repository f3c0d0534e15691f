import fc from "fast-check";
import { expect, test } from "vitest";
import type { ByteString } from "../../src/oci/layer-entry.ts";
import { cleanPath, comparePaths, parentPath } from "../../src/tar/index.ts";

test.each([
  ["a", "a"],
  ["a/b/c", "a/b/c"],
  ["./a", "a"],
  ["/a", "a"],
  ["//a//b/", "a/b"],
  ["a/./b/.", "a/b"],
  ["a/../b", "b"],
  ["a/b/../../c", "c"],
  ["", ""],
  [".", ""],
  ["./", ""],
  ["/", ""],
  ["a/..", ""],
  ["..a/b..", "..a/b.."],
  ["...", "..."],
  [".a", ".a"],
])("cleanPath(%j) is %j", (name, expected) => {
  expect(cleanPath(name)).toBe(expected);
});

test.each(["..", "../a", "/..", "a/../..", "./../a", "a/b/../../../c"])(
  "cleanPath(%j) is refused",
  (name) => {
    expect(() => cleanPath(name)).toThrow(expect.objectContaining({ code: "PATH_ESCAPES" }));
  },
);

test("cleanPath() refuses a NUL", () => {
  expect(() => cleanPath("a\0b")).toThrow(expect.objectContaining({ code: "HEADER_INVALID" }));
});

test("cleanPath() of a clean path changes nothing, and no result has an empty, . or .. part", () => {
  const part = fc.constantFrom("a", "b.", "..c", ".", "..", "", "d e");
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
      let clean: string;
      try {
        clean = cleanPath(parts.join("/"));
      } catch {
        return; // it climbed out
      }
      expect(cleanPath(clean)).toBe(clean);
      if (clean !== "") for (const name of clean.split("/")) expect(["", ".", ".."]).not.toContain(name);
    }),
  );
});

test("comparePaths() is the order in which a walk meets paths", () => {
  const names = fc.array(fc.constantFrom("a", "a-", "a.b", "b", "0", "~", "\xe9"), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(fc.array(names, { maxLength: 20 }), (paths) => {
      const byWalk = [...paths].sort(compareParts).map((parts) => parts.join("/"));
      expect(paths.map((parts) => parts.join("/")).sort(comparePaths)).toEqual(byWalk);
    }),
  );
});

function compareParts(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    if (a[i] !== b[i]) return (a[i] as string) < (b[i] as string) ? -1 : 1;
  }
  return a.length - b.length;
}

test("parentPath() names the folder", () => {
  expect(["a/b/c", "a", ""].map((path) => parentPath(path as ByteString))).toEqual(["a/b", "", ""]);
});
