import { expect, test } from "vitest";
import { EMPTY_TREE, followSources, planCopy, selectFiles } from "../../../src/builder/files/index.ts";
import { createFilter } from "../../../src/builder/sources/ignore-file.ts";
import { contextOf, paths } from "./support.ts";

const FILES = {
  "d/f": "f",
  "d/sub/g": "g",
  "e/h": "h",
  "w*/x": "x",
  "wild/x": "x",
  "w?[\\]": "odd",
  dir: "-> d",
  chain: "-> e/../dir/sub",
  file: "-> dir/f",
  abs: "-> /d/sub",
  dangling: "-> nowhere",
};

async function taken(path: string): Promise<readonly string[]> {
  const selection = await selectFiles(followSources(contextOf(FILES), "the build context", path), {
    exclude: [],
    createFilter,
  });
  const plan = await planCopy({ destination: "/", unpack: false }, selection, {
    destination: EMPTY_TREE,
    folderMtimeSeconds: 0,
  });
  return paths(plan.entries);
}

test.each([
  ["/d/sub", ["d", "d/sub", "d/sub/g"]],
  ["/d/f", ["d", "d/f"]],
  ["/dir", ["d", "d/f", "d/sub", "d/sub/g", "dir"]],
  ["/dir/sub/g", ["d", "d/sub", "d/sub/g", "dir"]],
  ["/chain", ["chain", "d", "d/sub", "d/sub/g", "dir"]],
  ["/file", ["d", "d/f", "dir", "file"]],
  ["/abs/g", ["abs", "d", "d/sub", "d/sub/g"]],
  ["/w*", ["w*", "w*/x"]],
  ["/w?[\\]", ["w?[\\]"]],
])("%s takes what it leads through", async (path, expected) => {
  expect(await taken(path)).toEqual(expected);
});

test("/ is everything", async () => {
  expect(await taken("/")).toContain("wild/x");
});

test.each(["/nope", "/dangling", "/d/*", "/dir/nope"])("%s is not there", async (path) => {
  await expect(async () => taken(path)).rejects.toThrow(`"${path}": not found in the build context`);
});
