import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalEntries, type SourcedEntry } from "../../../src/store/layers/index.ts";
import { makeSourced, type Spec } from "./support.ts";

const canonical = (...specs: readonly Spec[]) => canonicalEntries(specs.map(makeSourced));
const names = (entries: readonly SourcedEntry[]) => entries.map(({ kind, path }) => `${kind} ${path}`);

test("canonicalEntries() orders like a walk: a folder, its opaque mark, what is in it", () => {
  const specs: readonly Spec[] = [
    { path: "a", kind: "dir" },
    { path: "a", kind: "opaque" },
    { path: "a/b", kind: "dir" },
    { path: "a/b/c" },
    { path: "a/b.txt" },
    { path: "a-b" },
    { path: "gone", kind: "whiteout" },
  ];
  const expected = names(specs.map(makeSourced));
  fc.assert(
    fc.property(fc.shuffledSubarray([...specs], { minLength: specs.length }), (shuffled) => {
      expect(names(canonical(...shuffled))).toEqual(expected);
    }),
  );
});

test("canonicalEntries() of its own result changes nothing", () => {
  const once = canonical({ path: "b", kind: "hardlink", link: "c" }, { path: "c" }, { path: ".wh.a" });
  expect(canonicalEntries(once)).toEqual(once);
});

test("of two entries for one path the later counts", () => {
  expect(
    canonical({ path: "a", content: "1" }, { path: "b" }, { path: "a", kind: "symlink", link: "b" }),
  ).toMatchObject([{ path: "a", kind: "symlink" }, { path: "b" }]);
});

describe("names that mean a whiteout", () => {
  test("become what they mean", () => {
    expect(
      names(
        canonical({ path: "d", kind: "dir" }, { path: "d/.wh.x", content: "1" }, { path: "d/.wh..wh..opq" }),
      ),
    ).toEqual(["dir d", "opaque d", "whiteout d/x"]);
  });

  test("never hide what the layer itself has", () => {
    expect(names(canonical({ path: ".wh.f" }, { path: "f", content: "1" }))).toEqual(["file f"]);
    expect(names(canonical({ path: ".wh.d" }, { path: "d", kind: "dir" }, { path: "d/x" }))).toEqual([
      "dir d",
      "opaque d",
      "file d/x",
    ]);
  });

  test("of AUFS are dropped", () => {
    expect(canonical({ path: ".wh..wh.plnk" })).toEqual([]);
  });

  test("leave their content to a hard link", () => {
    const entries = canonical(
      { path: ".wh.x", content: "1" },
      { path: "y", kind: "hardlink", link: ".wh.x" },
    );
    expect(entries).toMatchObject([
      { path: "x", kind: "whiteout" },
      { path: "y", kind: "file", size: 1 },
    ]);
  });

  test("a character device 0/0 is one too", () => {
    expect(names(canonical({ path: "a", kind: "char", major: 0, minor: 0 }))).toEqual(["whiteout a"]);
  });
});

describe("hard links", () => {
  test("the first name has the content, whichever was given it", () => {
    const expected = [
      { path: "a", kind: "file", size: 4, mode: 0o600 },
      { path: "b", kind: "hardlink", link: "a", mode: 0o600 },
      { path: "c", kind: "hardlink", link: "a", mode: 0o600 },
    ];
    const file = { content: "text", mode: 0o600 } as const;
    expect(
      canonical(
        { path: "a", ...file },
        { path: "b", kind: "hardlink", link: "a" },
        { path: "c", kind: "hardlink", link: "b" },
      ),
    ).toMatchObject(expected);
    expect(
      canonical(
        { path: "c", ...file },
        { path: "b", kind: "hardlink", link: "c" },
        { path: "a", kind: "hardlink", link: "b" },
      ),
    ).toMatchObject(expected);
  });

  test("symlinks and devices can have several names", () => {
    expect(
      canonical({ path: "l", kind: "symlink", link: "t" }, { path: "a", kind: "hardlink", link: "l" }),
    ).toMatchObject([
      { path: "a", kind: "symlink", link: "t" },
      { path: "l", kind: "hardlink", link: "a" },
    ]);
  });

  test.each<readonly [string, readonly Spec[]]>([
    ["nothing", [{ path: "a", kind: "hardlink", link: "b" }]],
    [
      "a folder",
      [
        { path: "d", kind: "dir" },
        { path: "a", kind: "hardlink", link: "d" },
      ],
    ],
    [
      "a whiteout",
      [
        { path: "w", kind: "whiteout" },
        { path: "a", kind: "hardlink", link: "w" },
      ],
    ],
    [
      "each other",
      [
        { path: "a", kind: "hardlink", link: "b" },
        { path: "b", kind: "hardlink", link: "a" },
      ],
    ],
  ])("to %s are the caller's mistake", (_name, specs) => {
    expect(() => canonical(...specs)).toThrow(TypeError);
  });
});

describe("an entry without its folder is the caller's mistake", () => {
  test.each<readonly [string, readonly Spec[]]>([
    ["a file", [{ path: "a/b" }]],
    ["a whiteout", [{ path: "a/b", kind: "whiteout" }]],
    ["an opaque mark", [{ path: "a", kind: "opaque" }]],
    ["below a file", [{ path: "a" }, { path: "a/b" }]],
    ["after a folder of a similar name", [{ path: "a", kind: "dir" }, { path: "a-b/c" }]],
    ["two levels down", [{ path: "a", kind: "dir" }, { path: "a/b/c" }]],
  ])("%s", (_name, specs) => {
    expect(() => canonical(...specs)).toThrow(TypeError);
  });
});

test("what has no meaning is zero", () => {
  const odd = { uid: 5, gid: 6, mode: 0o123, mtimeSeconds: 9, size: 77 };
  expect(canonical({ path: "w", kind: "whiteout", ...odd })).toEqual([
    { path: "w", kind: "whiteout", mode: 0, uid: 0, gid: 0, mtimeSeconds: 0, size: 0 },
  ]);
  expect(canonical({ path: "l", kind: "symlink", link: "t", ...odd })).toMatchObject([
    { mode: 0o777, uid: 5, size: 0 },
  ]);
  expect(canonical({ path: "d", kind: "dir", ...odd })).toMatchObject([{ mode: 0o123, size: 0 }]);
});
