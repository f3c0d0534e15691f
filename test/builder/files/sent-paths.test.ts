import { describe, expect, test } from "vitest";
import { selectFiles } from "../../../src/builder/files/index.ts";
import { isSent } from "../../../src/builder/files/sent-paths.ts";
import { createFilter } from "../../../src/builder/sources/ignore-file.ts";
import { bytes, contextOf } from "./support.ts";

const FILES = {
  "conf/a.txt": "1",
  "conf/sub/b.txt": "2",
  "conf/lc": "-> ../conf2/c.crt",
  "conf2/c.crt": "3",
  "empty/": "",
  lconf: "-> conf",
  loop: "-> loop",
  abs: "-> /conf/sub",
};

describe("a folder is sent", () => {
  test.each([
    // folder, sources of all steps, sent?
    ["", ["/nothing"], true],
    ["conf", ["/conf/*.crt"], false],
    ["conf", ["/conf/*.crt", "/conf/a.txt"], true],
    ["conf", ["/conf/*.crt", "/conf/sub/*.txt"], true],
    ["conf/sub", ["/conf/sub/*.crt", "/conf/a.txt"], false],
    ["conf/sub", ["/conf"], true],
    ["conf", ["/"], true],
    ["conf", ["/conf2"], false],
    ["empty", ["/empty/*"], false],
    ["empty", ["/empty"], true],
    ["conf/sub", ["/c*"], true],
    // What a link leads to is sent with it.
    ["conf", ["/lconf/*.crt"], false],
    ["conf", ["/lconf/a.txt"], true],
    ["conf/sub", ["/abs"], true],
    ["conf2", ["/conf/lc"], true],
    // A wildcard that meets a link on the way counts as a path of its own.
    ["conf", ["/conf/*/x"], true],
    ["conf/sub", ["/conf/s*/x"], false],
    ["conf", ["/loop", "/loop/x"], false],
  ])("%j when the build takes %j: %j", (folder, paths, expected) => {
    expect(isSent(contextOf(FILES), bytes(folder), { paths, createFilter })).toBe(expected);
  });
});

test("a wildcard that matches nothing is an error only where its folder is not sent", async () => {
  const tree = contextOf(FILES);
  const select = (path: string, sentPaths: readonly string[] | undefined) =>
    selectFiles([{ kind: "tree", tree, treeName: "the build context", path, sentPaths }], {
      exclude: [],
      createFilter,
    });
  await expect(select("/conf/*.crt", ["/conf/*.crt"])).rejects.toMatchObject({
    code: "SOURCE_NOT_FOUND",
    message: expect.stringContaining("lstat /conf: no such file or directory"),
  });
  await expect(select("/lconf/*.crt", ["/lconf/*.crt"])).rejects.toMatchObject({
    message: expect.stringContaining("lstat /conf: no such file or directory"),
  });
  const nothing = { sources: [{ kind: "tree", roots: [], keepsXattrs: false }] };
  expect(await select("/conf/*.crt", ["/conf/*.crt", "/conf/a.txt"])).toMatchObject(nothing);
  expect(await select("/conf/*.crt", undefined)).toMatchObject(nothing);
  expect(await select("/*.crt", ["/*.crt"])).toMatchObject(nothing);
});
