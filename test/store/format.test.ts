import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { Store } from "../../src/store/index.ts";
import { makeScratch, readJson, startProgram } from "./support.ts";

const scratch = makeScratch();
let count = 0;
let root: string;

beforeEach(() => {
  root = join(scratch, `store-${count++}`);
});

test("Store.open() makes an absent folder a store that is an image layout", async () => {
  await using store = await Store.open(join(root, "a/b"));
  expect(readJson(join(store.root, "oci-layout"))).toEqual({ imageLayoutVersion: "1.0.0" });
  expect(readJson(join(store.root, "index.json"))).toMatchObject({ schemaVersion: 2, manifests: [] });
  expect(statSync(join(store.root, "blobs/sha256")).isDirectory()).toBe(true);
});

test("Store.open() takes an empty folder, and a store whose making was broken off", async () => {
  mkdirSync(root);
  await (await Store.open(root)).close();
  rmSync(join(root, "strake.json"));
  rmSync(join(root, "locks"), { recursive: true });
  await (await Store.open(root)).close();
  expect(readdirSync(root)).toContain("locks");
});

test("Store.open() leaves an existing store as it is and writes nothing into it", async () => {
  await (await Store.open(root)).close();
  const before = readdirSync(root).map((name) => [name, statSync(join(root, name)).mtimeMs]);
  await using store = await Store.open(`${root}//`);
  expect(store.root).toBe(root);
  expect(readdirSync(root).map((name) => [name, statSync(join(root, name)).mtimeMs])).toEqual(before);
  expect(readdirSync(join(root, "tmp"))).toEqual([]);
});

test.each([
  ["a folder with other things", () => writeFileSync(join(root, "letter.txt"), "Dear")],
  [
    "an image layout that is not ours",
    () => {
      writeFileSync(join(root, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
      writeFileSync(join(root, "index.json"), '{"schemaVersion":2,"manifests":[{"size":1}]}');
    },
  ],
])("Store.open() refuses %s and leaves it alone", async (_, fill) => {
  mkdirSync(root);
  fill();
  const before = readdirSync(root);
  await expect(Store.open(root)).rejects.toMatchObject({ name: "StoreError", code: "STORE_FOREIGN" });
  expect(readdirSync(root)).toEqual(before);
});

test("Store.open() refuses a newer format with a sentence", async () => {
  await (await Store.open(root)).close();
  writeFileSync(join(root, "strake.json"), '{"format":2}');
  await expect(Store.open(root)).rejects.toMatchObject({
    code: "STORE_TOO_NEW",
    message: `Cannot open the store "${root}": it has format 2, and this strake knows formats up to 1`,
  });
});

test.each(["", "{", "[]", '{"format":"1"}', "\0".repeat(13)])(
  "Store.open() says that a format file is damaged: %j",
  async (text) => {
    await (await Store.open(root)).close();
    writeFileSync(join(root, "strake.json"), text);
    await expect(Store.open(root)).rejects.toMatchObject({ code: "STORE_CORRUPT" });
  },
);

test("Store.open() wants an absolute path", async () => {
  await expect(Store.open("relative")).rejects.toBeInstanceOf(TypeError);
});

test("Store.open() heeds its signal", async () => {
  const reason = new Error("enough");
  await expect(Store.open(root, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  expect(() => readFileSync(root)).toThrow("ENOENT");
});

test("several processes make and open one store at once", async () => {
  const programs = [1, 2, 3, 4].map((i) =>
    startProgram(scratch, "hold-lock", [root, `own-${i}`, "exclusive"]),
  );
  for (const program of programs) {
    await program.waitFor("held");
    program.child.stdin?.end("release\n");
  }
  await expect(Promise.all(programs.map(({ ended }) => ended))).resolves.toEqual([0, 0, 0, 0]);
  expect(readJson(join(root, "strake.json"))).toEqual({ format: 1 });
  expect(readdirSync(join(root, "tmp"))).toEqual([]);
});

test.runIf(process.getuid?.() === 0)("a store of somebody else is refused with a sentence", async () => {
  await (await Store.open(root)).close();
  chmodSync(scratch, 0o755);
  for (const mode of [0o700, 0o755]) {
    chmodSync(root, mode); // the second time it may be read, but not written
    const program = startProgram(scratch, "try", [root], { uid: 65534 });
    await expect(program.ended).resolves.toBe(0);
    expect(program.lines.map((line) => JSON.parse(line))).toEqual([
      {
        code: "STORE_NOT_WRITABLE",
        message: expect.stringMatching(/^Cannot .*: permission denied at "/),
        hint: expect.stringContaining("STRAKE_ROOT"),
      },
    ]);
  }
});
