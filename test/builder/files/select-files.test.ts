import { describe, expect, test } from "vitest";
import { type CopySource, type FileTree, selectFiles } from "../../../src/builder/files/index.ts";
import { createFilter } from "../../../src/builder/sources/ignore-file.ts";
import { fromByteString } from "../../../src/oci/index.ts";
import { bytes, contextOf } from "./support.ts";

interface Example {
  readonly exclude?: readonly string[];
  readonly parents?: boolean;
}

/** For each selected root: its name, then what is taken; what is only implied in parentheses. */
async function select(tree: FileTree, sources: readonly string[], { exclude = [], parents }: Example = {}) {
  const written = sources.map((source): CopySource => {
    const base = { kind: "tree", tree, treeName: "the build context" } as const;
    const pivot = source.indexOf("/./");
    if (parents !== true) return { ...base, path: source };
    return pivot < 0
      ? { ...base, path: "/", parentsPattern: source }
      : { ...base, path: source.slice(0, pivot), parentsPattern: source.slice(pivot + 3) };
  });
  const selection = await selectFiles(written, { exclude, createFilter });
  return selection.sources.map((source) =>
    source.kind === "file"
      ? [fromByteString(source.name)]
      : source.roots.map(({ name, entries }) => [
          fromByteString(name),
          ...entries
            .slice(1)
            .map(({ path, isImplied }) => (isImplied ? `(${fromByteString(path)})` : fromByteString(path))),
        ]),
  );
}

const FILES = {
  a: "1",
  "b.txt": "2",
  "d/.hid": "3",
  "d/f": "4",
  "d/s/g": "5",
  "e/": "",
  lf: "-> d/f",
  ld: "-> d",
  dang: "-> nowhere",
};

describe("a plain path", () => {
  test("is a file, or a folder with all that is in it", async () => {
    const tree = contextOf(FILES);
    expect(await select(tree, ["a", "/d", "./d/s/", "e"])).toEqual([
      [["a"]],
      [["d", ".hid", "f", "s", "s/g"]],
      [["s", "g"]],
      [["e"]],
    ]);
  });

  test("follows symlinks, also on the way, and keeps the link's name", async () => {
    const tree = contextOf(FILES);
    expect(await select(tree, ["lf", "ld/f", "ld"])).toEqual([
      [["lf"]],
      [["f"]],
      [["ld", ".hid", "f", "s", "s/g"]],
    ]);
  });

  test("leaves symlinks inside a folder alone", async () => {
    const tree = contextOf(FILES);
    const selection = await selectFiles([{ kind: "tree", tree, treeName: "it", path: "." }], {
      exclude: [],
      createFilter,
    });
    const [source] = selection.sources;
    if (source?.kind !== "tree") throw new Error("a tree was asked for");
    const kinds = Object.fromEntries(
      (source.roots[0]?.entries ?? []).map(({ path, node }) => [path, node.kind]),
    );
    expect(kinds).toMatchObject({ lf: "symlink", ld: "symlink", dang: "symlink", d: "dir" });
    expect(Object.keys(kinds)).not.toContain("ld/f");
  });

  test.each([
    ["nope", '"/nope": not found in the build context', "The root holds a, b.txt, d, dang, e and 2 more"],
    ["d/x/y", '"/d/x/y": not found', "/d holds .hid, f, s"],
    ["b.tx", '"/b.tx": not found', 'There is a "b.txt"'],
    ["b.ttx", '"/b.ttx": not found', 'There is a "b.txt"'],
    ["D", '"/D": not found', 'There is a "d"'],
    ["dang", '"/dang": not found', 'It is a symbolic link to "nowhere", and /nowhere is not there'],
    ["a/x", '"/a/x": not found', "/a is there, but it is no folder"],
    ["e/x", '"/e/x": not found', "/e is an empty folder"],
    ["nodir/*.txt", "lstat /nodir: no such file or directory", undefined],
  ])("%j that is not there is an error that helps", async (path, message, hint) => {
    const tree = contextOf(FILES);
    await expect(select(tree, [path])).rejects.toMatchObject({
      code: "SOURCE_NOT_FOUND",
      message: expect.stringContaining(message),
      ...(hint !== undefined && { hint }),
    });
  });
});

test.each(["../x", "./../x", "..", "/../x"])(
  "%j tells that nothing outside can be copied",
  async (written) => {
    const source = {
      kind: "tree",
      tree: contextOf({}),
      treeName: "the build context",
      written,
      path: "/x",
    } as const;
    await expect(selectFiles([source], { exclude: [], createFilter })).rejects.toMatchObject({
      hint: `${written} does not lead out of the build context: only what is in it can be copied, and .. at its root stays there`,
    });
  },
);

describe("wildcards", () => {
  test("select each match by itself, links followed", async () => {
    const tree = contextOf(FILES);
    expect(await select(tree, ["l*", "*/f", "?"])).toEqual([
      [["ld", ".hid", "f", "s", "s/g"], ["lf"]],
      [["f"]],
      [["a"], ["d", ".hid", "f", "s", "s/g"], ["e"]],
    ]);
  });

  test("that match nothing select nothing", async () => {
    expect(await select(contextOf(FILES), ["*.zip", "a/*"])).toEqual([[], []]);
  });

  test("that match a dangling link are an error", async () => {
    await expect(select(contextOf(FILES), ["da*"])).rejects.toThrow('"/dang": not found');
  });

  test("see nothing that is excluded from the context", async () => {
    const tree = contextOf(FILES, ["*.txt", "d/s", "dang"]);
    expect(await select(tree, ["[bd]*", "d/*"])).toEqual([[["d", ".hid", "f"]], [[".hid"], ["f"]]]);
  });

  test("follow the links before them", async () => {
    expect(await select(contextOf(FILES), ["ld/*"])).toEqual([[[".hid"], ["f"], ["s", "g"]]]);
  });
});

describe("--exclude", () => {
  test("counts below what is copied, never for what is named itself", async () => {
    const tree = contextOf(FILES);
    expect(await select(tree, ["d", "a", "d/f"], { exclude: ["f", "a"] })).toEqual([
      [["d", ".hid", "s", "s/g"]],
      [["a"]],
      [["f"]],
    ]);
  });

  test("with an exception implies the folders on the way to what comes back", async () => {
    const tree = contextOf({ "p/q/keep": "", "p/q/x": "", "p/y": "", "r/x": "" });
    expect(await select(tree, ["."], { exclude: ["*", "!p/q/keep"] })).toEqual([
      [["", "(p)", "(p/q)", "p/q/keep"]],
    ]);
  });
});

describe("--parents", () => {
  const tree = () =>
    contextOf({ "x/a.txt": "", "x/y/a.txt": "", "x/y/b.txt": "", "x/z/b.md": "", l: "-> x" });

  test("takes the folders on the way along", async () => {
    expect(await select(tree(), ["x/y/a.txt"], { parents: true })).toEqual([
      [["", "(x)", "(x/y)", "x/y/a.txt"]],
    ]);
    expect(await select(tree(), ["x/y"], { parents: true })).toEqual([
      [["", "(x)", "x/y", "x/y/a.txt", "x/y/b.txt"]],
    ]);
  });

  test("begins at the pivot", async () => {
    expect(await select(tree(), ["x/./y/*.txt", "./x/./*"], { parents: true })).toEqual([
      [["x", "(y)", "y/a.txt", "y/b.txt"]],
      [["x", "a.txt", "y", "y/a.txt", "y/b.txt", "z", "z/b.md"]],
    ]);
  });

  test("of the root takes nothing", async () => {
    expect(await select(tree(), ["./", "./x/./"], { parents: true })).toEqual([[[""]], [["x"]]]);
  });

  test("does not go through symlinks", async () => {
    expect(await select(tree(), ["l/a.txt"], { parents: true })).toEqual([[[""]]]);
  });

  test("goes with --exclude", async () => {
    expect(await select(tree(), ["x"], { parents: true, exclude: ["**/a.*"] })).toEqual([
      [["", "x", "x/y", "x/y/b.txt", "x/z", "x/z/b.md"]],
    ]);
  });

  test("of something that is not there at all is an error, with a wildcard it is none", async () => {
    await expect(select(tree(), ["x/none"], { parents: true })).rejects.toThrow('"/x/none": not found');
    expect(await select(tree(), ["x/none*"], { parents: true })).toEqual([[[""]]]);
  });
});

test("a file from elsewhere passes as it is", async () => {
  const file: CopySource = {
    kind: "file",
    name: bytes("EOF"),
    content: { kind: "bytes", bytes: new Uint8Array(3) },
    size: 3,
    mode: 0o644,
    mtimeSeconds: 7,
  };
  expect((await selectFiles([file], { exclude: [], createFilter })).sources).toEqual([file]);
});

test("an abort ends the walk with its reason", async () => {
  const files = Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`d${i % 10}/f${i}`, ""]));
  const tree = contextOf(files);
  const reason = new Error("enough");
  const work = selectFiles([{ kind: "tree", tree, treeName: "it", path: "/" }], {
    exclude: [],
    createFilter,
    signal: AbortSignal.abort(reason),
  });
  await expect(work).rejects.toBe(reason);
});
