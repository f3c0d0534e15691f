import { createHash, randomBytes } from "node:crypto";
import { appendFileSync, existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ContentDigestFile, LocalTree, type TreeNode } from "../../../src/builder/files/index.ts";
import { WorkSlices } from "../../../src/builder/files/pause.ts";
import { bytes, temporaryFolder, writeFiles } from "./support.ts";

const sha256 = (data: string | Buffer) => createHash("sha256").update(data).digest("hex");
const DAY_MS = 24 * 60 * 60 * 1000;

class Example {
  readonly folder = writeFiles(temporaryFolder(), { f: "one", "odd\nname": "two" });
  readonly file = join(temporaryFolder(), "cache", "digests");

  node(name = "f"): TreeNode {
    return new LocalTree(this.folder).lstat(bytes(name)) as TreeNode;
  }
  /** `later`: how long after now the clock says it is. */
  open(later = 60_000): Promise<ContentDigestFile> {
    return ContentDigestFile.open(this.file, { now: () => Date.now() + later });
  }
}

const hash = (contents: ContentDigestFile, node: TreeNode) =>
  contents.hash(node, { slices: new WorkSlices() });

test("what was hashed is known to the next process", async () => {
  const example = new Example();
  const first = await example.open();
  expect(first.lookup(example.node())).toBeUndefined();
  expect(await hash(first, example.node())).toBe(sha256("one"));
  await hash(first, example.node("odd\nname"));
  await first.save();
  const second = await example.open();
  expect(second.lookup(example.node())).toBe(sha256("one"));
  expect(second.lookup(example.node("odd\nname"))).toBe(sha256("two"));
  expect(readdirSync(join(example.file, ".."))).toEqual(["digests"]);
});

describe("a file is not known any more", () => {
  test("when it was written to", async () => {
    const example = new Example();
    const contents = await example.open();
    await hash(contents, example.node());
    appendFileSync(join(example.folder, "f"), "more");
    expect(contents.lookup(example.node())).toBeUndefined();
  });

  test("when other bytes of the same length and time are there", async () => {
    const example = new Example();
    utimesSync(join(example.folder, "f"), 1000, 1000);
    const contents = await example.open();
    await hash(contents, example.node());
    const before = example.node().stamp;
    // Until the clock of the file system has moved on, the change could not be seen in any way.
    while (example.node().stamp?.ctimeMs === before?.ctimeMs) {
      writeFileSync(join(example.folder, "f"), "two");
      utimesSync(join(example.folder, "f"), 1000, 1000);
    }
    expect(example.node().stamp?.mtimeMs).toBe(before?.mtimeMs);
    expect(contents.lookup(example.node())).toBeUndefined();
  });
});

test("a file that changed a moment ago is hashed, but not remembered", async () => {
  const example = new Example();
  const contents = await example.open(0);
  // The clock says the moment of the file's last change: the same tick.
  const racy = await ContentDigestFile.open(example.file, { now: () => example.node().stamp?.ctimeMs ?? 0 });
  expect(await hash(racy, example.node())).toBe(sha256("one"));
  expect(racy.lookup(example.node())).toBeUndefined();
  await racy.save();
  expect(existsSync(example.file)).toBe(false);
  expect(contents.lookup(example.node())).toBeUndefined();
});

test("times without a fraction are waited for longer", async () => {
  const example = new Example();
  const node = { ...example.node(), hostPath: example.node().hostPath };
  const whole = Math.floor(Date.now() / 1000) * 1000;
  const coarse = { ...node, stamp: { dev: 1, ino: 1, mtimeMs: whole, ctimeMs: whole } };
  const fine = { ...node, stamp: { dev: 1, ino: 1, mtimeMs: whole, ctimeMs: whole + 0.5 } };
  const contents = await ContentDigestFile.open(example.file, { now: () => whole + 1900 });
  await hash(contents, coarse);
  expect(contents.lookup(coarse)).toBeUndefined();
  await hash(contents, fine);
  expect(contents.lookup(fine)).toBe(sha256("one"));
});

test("files that nobody asks for are forgotten after a month", async () => {
  const example = new Example();
  const first = await example.open();
  await hash(first, example.node());
  await hash(first, example.node("odd\nname"));
  await first.save();
  const later = await example.open(20 * DAY_MS);
  expect(later.lookup(example.node())).toBeDefined();
  await later.save();
  const much = await example.open(45 * DAY_MS);
  expect(much.lookup(example.node())).toBeDefined();
  await much.save();
  const last = await example.open(45 * DAY_MS);
  expect(last.lookup(example.node())).toBeDefined();
  expect(last.lookup(example.node("odd\nname"))).toBeUndefined();
});

describe("a damaged file", () => {
  test.each([
    ["cut off", (data: Buffer) => data.subarray(0, data.length - 7)],
    ["empty", () => Buffer.alloc(0)],
    ["of another kind", () => Buffer.from("something else that is long enough")],
    ["with a wrong count", (data: Buffer) => Buffer.from(data).fill(0xff, 16, 20)],
  ])("%s is a fresh start", async (_, damage) => {
    const example = new Example();
    const first = await example.open();
    await hash(first, example.node());
    await first.save();
    writeFileSync(example.file, damage(readFileSync(example.file)));
    const second = await example.open();
    expect(second.lookup(example.node())).toBeUndefined();
    await hash(second, example.node());
    await second.save();
    expect((await example.open()).lookup(example.node())).toBe(sha256("one"));
  });
});

test("nothing new is nothing written", async () => {
  const example = new Example();
  await (await example.open()).save();
  expect(existsSync(example.file)).toBe(false);
});

test.each([0, 1, 1024 * 1024 - 1, 1024 * 1024, 1024 * 1024 + 1, 3_500_000])(
  "a file of %i bytes is hashed whole",
  async (size) => {
    const example = new Example();
    const data = randomBytes(size);
    writeFileSync(join(example.folder, "big"), data);
    expect(await hash(await example.open(), example.node("big"))).toBe(sha256(data));
  },
);

test("a file that grew since it was looked at is hashed as it is now", async () => {
  const example = new Example();
  const node = example.node();
  appendFileSync(join(example.folder, "f"), "x".repeat(2_000_000));
  expect(await hash(await example.open(), node)).toBe(sha256(`one${"x".repeat(2_000_000)}`));
});
