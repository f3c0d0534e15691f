import { chmodSync, linkSync, mkdirSync, renameSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { LocalTree } from "../../../src/builder/files/index.ts";
import { createFilter } from "../../../src/builder/sources/ignore-file.ts";
import { bytes, contextOf, temporaryFolder, writeFiles } from "./support.ts";

/** Every path of a tree, as a walk finds them. */
function walk(tree: LocalTree, folder = ""): readonly string[] {
  return tree.list(bytes(folder)).flatMap(({ name, node }) => {
    const path = folder === "" ? name : `${folder}/${name}`;
    return node.kind === "dir" ? [path, ...walk(tree, path)] : [path];
  });
}

describe("a file", () => {
  test("has the kind, mode, size and time that the disk says, and root for an owner", () => {
    const folder = writeFiles(temporaryFolder(), { f: "hello" });
    chmodSync(join(folder, "f"), 0o4751);
    utimesSync(join(folder, "f"), 1234567890.75, 1234567890.75);
    expect(new LocalTree(folder).lstat(bytes("f"))).toMatchObject({
      kind: "file",
      mode: 0o4751,
      uid: 0,
      gid: 0,
      size: 5,
      mtimeSeconds: 1234567890,
      hostPath: join(folder, "f"),
    });
  });

  test("from before 1970 has its second, not the next one", () => {
    const folder = writeFiles(temporaryFolder(), { f: "" });
    const time = new Date(-1500);
    utimesSync(join(folder, "f"), time, time);
    expect(new LocalTree(folder).lstat(bytes("f"))?.mtimeSeconds).toBe(-2);
  });

  test("with several names says which are the same", () => {
    const folder = writeFiles(temporaryFolder(), { a: "x", c: "x" });
    linkSync(join(folder, "a"), join(folder, "b"));
    const tree = new LocalTree(folder);
    const [a, b, c] = ["a", "b", "c"].map((name) => tree.lstat(bytes(name))?.hardlinkId);
    expect(a).toBeDefined();
    expect(b).toBe(a);
    expect(c).toBeUndefined();
  });

  test("may have a name that is no UTF-8", () => {
    const folder = temporaryFolder();
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0x66, 0xff, 0xe9])]), "odd");
    const [entry] = new LocalTree(folder).list(bytes(""));
    expect(entry?.name).toBe("f\xff\xe9");
    expect(entry?.node.size).toBe(3);
  });

  test("that is a socket is one", async () => {
    const folder = temporaryFolder();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(folder, "s"), resolve));
    onTestFinished(() => void server.close());
    expect(new LocalTree(folder).lstat(bytes("s"))?.kind).toBe("socket");
  });
});

describe("a folder", () => {
  test("lists names by their bytes, whatever the locale thinks", () => {
    const tree = contextOf({ B: "", a: "", é: "", z: "", "Z.txt": "" });
    expect(tree.readdir(bytes(""))).toEqual(["B", "Z.txt", "a", "z", bytes("é")]);
  });

  test("that is a symlink is not entered", () => {
    const tree = contextOf({ "real/f": "", link: "-> real" });
    expect(tree.lstat(bytes("link"))).toMatchObject({ kind: "symlink", link: "real" });
    expect(tree.lstat(bytes("link/f"))).toBeUndefined();
    expect(tree.readdir(bytes("link"))).toEqual([]);
  });

  test("and a file in the way of one", () => {
    const tree = contextOf({ f: "" });
    expect(tree.lstat(bytes("f/x"))).toBeUndefined();
    expect(tree.lstat(bytes("no/x"))).toBeUndefined();
    expect(tree.readdir(bytes("f"))).toEqual([]);
  });

  test("given through a symlink is read where it really is", () => {
    const folder = writeFiles(temporaryFolder(), { "real/f": "" });
    symlinkSync("real", join(folder, "link"));
    expect(new LocalTree(join(folder, "link")).root).toBe(join(folder, "real"));
  });

  test("that is not there is an error at once", () => {
    expect(() => new LocalTree(join(temporaryFolder(), "none"))).toThrow("ENOENT");
  });
});

test("what was seen once stays, whichever way it is asked for", () => {
  const folder = writeFiles(temporaryFolder(), { "d/a": "1", "d/b": "1" });
  const tree = new LocalTree(folder);
  const before = tree.lstat(bytes("d/a"));
  writeFiles(folder, { "d/a": "changed" });
  expect(tree.list(bytes("d")).find(({ name }) => name === "a")?.node).toBe(before);
  renameSync(join(folder, "d"), join(folder, "e"));
  expect(tree.lstat(bytes("d/b"))?.kind).toBe("file");
});

describe("an ignore filter", () => {
  const files = { "a.md": "", "b.txt": "", "d/a.md": "", "d/e/f.md": "", "d/e/keep.md": "", "n/x": "" };

  test("hides what it matches from every question", () => {
    const tree = contextOf(files, ["**/*.md"]);
    expect(walk(tree)).toEqual(["b.txt", "d", "d/e", "n", "n/x"]);
    expect(tree.lstat(bytes("a.md"))).toBeUndefined();
    expect(tree.lstat(bytes("d/e/f.md"))).toBeUndefined();
  });

  test("hides a folder with all that is in it", () => {
    const tree = contextOf(files, ["d"]);
    expect(walk(tree)).toEqual(["a.md", "b.txt", "n", "n/x"]);
    expect(tree.lstat(bytes("d/e/f.md"))).toBeUndefined();
  });

  test("leaves a folder whose contents alone are excluded", () => {
    expect(walk(contextOf(files, ["n/*"]))).toContain("n");
  });

  test.each([
    ["asked for directly", false],
    ["after a walk", true],
  ])("shows an excluded folder for what an exception brings back (%s)", (_, walkFirst) => {
    const tree = contextOf(files, ["*", "!d/e/keep.md"]);
    if (walkFirst) walk(tree);
    expect(tree.lstat(bytes("d/e/keep.md"))?.kind).toBe("file");
    expect(tree.lstat(bytes("d/e"))?.kind).toBe("dir");
    expect(tree.lstat(bytes("n"))).toBeUndefined();
    expect(tree.lstat(bytes("d/e/f.md"))).toBeUndefined();
    expect(walk(tree)).toEqual(["d", "d/e", "d/e/keep.md"]);
  });

  test("is not asked about folders that it excludes for good", () => {
    const folder = writeFiles(temporaryFolder(), { "closed/x": "", f: "" });
    const filter = createFilter(["closed"]);
    const asked: string[] = [];
    const match: typeof filter.match = (path, parent) => {
      asked.push(path);
      return filter.match(path, parent);
    };
    expect(walk(new LocalTree(folder, { ignore: { ...filter, match } }))).toEqual(["f"]);
    expect(asked).toEqual(["closed", "f"]);
  });

  test("says why something is missing, but only of what is on the disk", () => {
    const folder = writeFiles(temporaryFolder(), { "a.md": "" });
    const tree = new LocalTree(folder, {
      ignore: createFilter(["*"]),
      explainIgnored: (path) => `${path} is excluded`,
    });
    expect(tree.explainMissing(bytes("a.md"))).toBe("a.md is excluded");
    expect(tree.explainMissing(bytes("none"))).toBeUndefined();
  });
});

test("an unreadable folder is named", () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "x".repeat(200)));
  const tree = new LocalTree(folder);
  const node = tree.lstat(bytes("x".repeat(200)));
  expect(node?.kind).toBe("dir");
  renameSync(join(folder, "x".repeat(200)), join(folder, "gone"));
  expect(() => tree.list(bytes("x".repeat(200)))).toThrow(/Cannot read ".*x+": ENOENT/);
});
