import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { removeTree } from "../../src/store/index.ts";
import { makeScratch } from "./support.ts";

const scratch = makeScratch();

test("removeTree() removes names that are no UTF-8", async () => {
  const tree = join(scratch, "bytes");
  mkdirSync(tree);
  const name = Buffer.concat([Buffer.from(`${tree}/`), Buffer.from([0xff, 0xfe, 0x41])]);
  mkdirSync(name);
  writeFileSync(Buffer.concat([name, Buffer.from("/"), Buffer.from([0x80])]), "x");
  await removeTree(tree);
  expect(existsSync(tree)).toBe(false);
});

test("removeTree() removes links, not what they lead to", async () => {
  const outside = join(scratch, "outside");
  mkdirSync(outside);
  writeFileSync(join(outside, "precious"), "gold");
  const tree = join(scratch, "links");
  mkdirSync(tree);
  symlinkSync(outside, join(tree, "folder"));
  symlinkSync(join(outside, "precious"), join(tree, "file"));
  await removeTree(tree);
  expect(existsSync(tree)).toBe(false);
  expect(readFileSync(join(outside, "precious"), "utf8")).toBe("gold");

  symlinkSync(outside, tree);
  await removeTree(tree);
  expect(existsSync(tree)).toBe(false);
  expect(readFileSync(join(outside, "precious"), "utf8")).toBe("gold");
});

test("removeTree() removes a tree deeper than a path can be long", async () => {
  const tree = join(scratch, "deep");
  mkdirSync(tree);
  const here = process.cwd();
  try {
    process.chdir(tree);
    for (let depth = 0; depth < 700; depth++) {
      mkdirSync("folder-with-a-name");
      process.chdir("folder-with-a-name");
    }
    writeFileSync("file", "");
  } finally {
    process.chdir(here);
  }
  await removeTree(tree);
  expect(existsSync(tree)).toBe(false);
});

test("removeTree() removes many files, and folders without any permission as root", async () => {
  const tree = join(scratch, "wide");
  mkdirSync(tree);
  for (let i = 0; i < 500; i++) writeFileSync(join(tree, `file-${i}`), "");
  mkdirSync(join(tree, "work/work"), { recursive: true });
  if (process.getuid?.() === 0) chmodSync(join(tree, "work/work"), 0);
  await removeTree(tree);
  expect(existsSync(tree)).toBe(false);
});

test("removeTree() is content when there is nothing", async () => {
  await expect(removeTree(join(scratch, "absent"))).resolves.toBeUndefined();
});

test("removeTree() stops when told to", async () => {
  const tree = join(scratch, "stopped");
  mkdirSync(tree);
  writeFileSync(join(tree, "file"), "");
  const reason = new Error("enough");
  await expect(removeTree(tree, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  expect(existsSync(join(tree, "file"))).toBe(true);
});
