import { expect, test } from "vitest";
import { planWorkdir } from "../../../src/builder/files/index.ts";
import { bytes, MemoryTree, show } from "./support.ts";

const OPTIONS = { owner: { uid: 5, gid: 6 }, folderMtimeSeconds: 77 };

test("makes what is missing, with the user as owner", () => {
  const entries = planWorkdir("/old/p/q/", new MemoryTree({ old: { kind: "dir", uid: 1 } }), OPTIONS);
  expect(show(entries)).toEqual(["old dir 755 1:0", "old/p dir 755 5:6", "old/p/q dir 755 5:6"]);
  expect(entries.at(-1)?.mtimeSeconds).toBe(77);
});

test("goes through symlinks inside the root", () => {
  const tree = new MemoryTree({ ln: { kind: "symlink", link: bytes("../real") } });
  expect(show(planWorkdir("/ln/sub", tree, OPTIONS))).toEqual(["real dir 755 5:6", "real/sub dir 755 5:6"]);
});

test("has nothing to do for a folder that is there", () => {
  expect(planWorkdir("/a/b", new MemoryTree({ "a/b": { kind: "dir" } }), OPTIONS)).toEqual([]);
  expect(planWorkdir("/", new MemoryTree({}), OPTIONS)).toEqual([]);
});

test("does not replace a file", () => {
  expect(() => planWorkdir("/a/b", new MemoryTree({ a: {} }), OPTIONS)).toThrow("mkdir /a: not a directory");
});
