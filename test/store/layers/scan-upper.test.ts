import {
  chmodSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { packUpper, scanUpper, settleUpper, writeLayer } from "../../../src/store/layers/index.ts";
import { makeNode, Xattrs } from "../../../src/sys/index.ts";
import { describeFolder, isRoot, makeFolder, repack, type Spec, write } from "./support.ts";

const BASE: readonly Spec[] = [
  { path: "d", kind: "dir", mode: 0o755 },
  { path: "d/a", content: "aaa" },
  { path: "d/b", content: "bbb" },
  { path: "l", kind: "symlink", link: "d" },
];
const TIME = 1_700_000_000;

const xattrs = new Xattrs();
const names = (upper: string, lower: readonly string[]) =>
  scanUpper(upper, lower).map(({ kind, path }) => `${kind} ${path}`);

/** What overlay does when a file is opened for writing: the same bytes, mode and time. */
function copyUp(lower: string, upper: string, path: string): void {
  mkdirSync(join(upper, path, ".."), { recursive: true });
  copyFileSync(join(lower, path), join(upper, path));
  chmodSync(join(upper, path), 0o644);
  utimesSync(join(upper, path), TIME, TIME);
}

describe("scanUpper()", () => {
  test("of an empty upper folder finds nothing", async () => {
    const { snapshot } = await write(BASE);
    expect(names(makeFolder(), [snapshot])).toEqual([]);
  });

  test("finds what was added, in the order of a walk", async () => {
    const { snapshot } = await write(BASE);
    const upper = makeFolder();
    mkdirSync(join(upper, "n/sub"), { recursive: true });
    writeFileSync(join(upper, "n/sub/f"), "x");
    writeFileSync(join(upper, "n.txt"), "x");
    symlinkSync("n", join(upper, "link"));
    expect(names(upper, [snapshot])).toEqual([
      "symlink link",
      "dir n",
      "dir n/sub",
      "file n/sub/f",
      "file n.txt",
    ]);
  });

  test("a whiteout counts only if the layers below have the name", async () => {
    const { snapshot } = await write(BASE);
    const upper = makeFolder();
    mkdirSync(join(upper, "d"), { mode: 0o755 });
    for (const path of ["d/a", "d/none", "l", "nothing"])
      makeNode(join(upper, path), { kind: "char", mode: 0 });
    expect(names(upper, [snapshot])).toEqual(["dir d", "whiteout d/a", "whiteout l"]);
  });

  test("an opaque mark counts only if it hides a folder; below it all is new and no whiteout is needed", async () => {
    const { snapshot } = await write(BASE);
    const upper = makeFolder();
    for (const path of ["d", "n", "l"]) {
      mkdirSync(join(upper, path), { mode: 0o755 });
      xattrs.set(join(upper, path), "user.overlay.opaque", Buffer.from("y"));
    }
    copyUp(snapshot, upper, "d/a");
    makeNode(join(upper, "d/b"), { kind: "char", mode: 0 });
    expect(names(upper, [snapshot])).toEqual(["dir d", "opaque d", "file d/a", "dir l", "dir n"]);
  });

  describe("what shows nothing new is left out", () => {
    test("a file that was copied up and not changed", async () => {
      const { snapshot } = await write(BASE);
      const upper = makeFolder();
      copyUp(snapshot, upper, "d/a");
      chmodSync(join(upper, "d"), 0o755);
      expect(names(upper, [snapshot])).toEqual([]);
    });

    test("but content decides where both times are whole seconds", async () => {
      const { snapshot } = await write(BASE);
      const upper = makeFolder();
      copyUp(snapshot, upper, "d/a");
      writeFileSync(join(upper, "d/a"), "AAA");
      utimesSync(join(upper, "d/a"), TIME, TIME);
      expect(names(upper, [snapshot])).toEqual(["dir d", "file d/a"]);
    });

    test("and a fraction of a second is a change", async () => {
      const { snapshot } = await write(BASE);
      const upper = makeFolder();
      copyUp(snapshot, upper, "d/a");
      utimesSync(join(upper, "d/a"), TIME, TIME + 0.25);
      expect(names(upper, [snapshot])).toEqual(["dir d", "file d/a"]);
    });

    test.each<readonly [string, (path: string) => void]>([
      ["mode", (path) => chmodSync(path, 0o600)],
      ["attribute", (path) => xattrs.set(path, "user.x", Buffer.from("1"))],
      [
        "size",
        (path) => {
          writeFileSync(path, "aaaa");
          utimesSync(path, TIME, TIME);
        },
      ],
      ["time", (path) => utimesSync(path, TIME, TIME + 1)],
    ])("but a new %s counts", async (_name, change) => {
      const { snapshot } = await write(BASE);
      const upper = makeFolder();
      copyUp(snapshot, upper, "d/a");
      change(join(upper, "d/a"));
      expect(names(upper, [snapshot])).toEqual(["dir d", "file d/a"]);
    });

    test("a folder whose time alone changed; not one with another mode", async () => {
      const { snapshot } = await write(BASE);
      const upper = makeFolder();
      mkdirSync(join(upper, "d"), { mode: 0o755 });
      expect(names(upper, [snapshot])).toEqual([]);
      chmodSync(join(upper, "d"), 0o700);
      expect(names(upper, [snapshot])).toEqual(["dir d"]);
    });

    test("a socket", async () => {
      const upper = makeFolder();
      const server = createServer().listen(join(upper, "s"));
      onTestFinished(() => void server.close());
      await new Promise((resolve) => server.once("listening", resolve));
      expect(names(upper, [])).toEqual([]);
    });

    test("marks of overlay and labels of the host", async () => {
      const upper = makeFolder();
      mkdirSync(join(upper, "n"));
      xattrs.set(join(upper, "n"), "user.overlay.impure", Buffer.from("y"));
      xattrs.set(join(upper, "n"), "user.mine", Buffer.from("1"));
      const [entry] = scanUpper(upper, []);
      expect([...(entry?.xattrs ?? [])]).toEqual([["user.mine", new Uint8Array([0x31])]]);
    });
  });

  test("the root counts only if its mode or owner is another one", async () => {
    const upper = makeFolder();
    writeFileSync(join(upper, "f"), "x");
    expect(names(upper, [])).toEqual(["file f"]);
    chmodSync(upper, 0o711);
    expect(names(upper, [])).toEqual(["dir ", "file f"]);
    const { snapshot } = await write([{ path: "", kind: "dir", mode: 0o711 }]);
    expect(names(upper, [snapshot])).toEqual(["file f"]);
    chmodSync(upper, 0o700);
    expect(names(upper, [snapshot])).toEqual(["dir ", "file f"]);
    chmodSync(upper, 0o755); // as every upper folder begins
    expect(names(upper, [snapshot])).toEqual(["file f"]);
  });

  test("names of one file are a file and hard links to it", () => {
    const upper = makeFolder();
    writeFileSync(join(upper, "b"), "x");
    mkdirSync(join(upper, "a"));
    linkSync(join(upper, "b"), join(upper, "a/z"));
    linkSync(join(upper, "b"), join(upper, "c"));
    expect(scanUpper(upper, [])).toMatchObject([
      { path: "a", kind: "dir" },
      { path: "a/z", kind: "file", content: { hostPath: join(upper, "a/z") } },
      { path: "b", kind: "hardlink", link: "a/z" },
      { path: "c", kind: "hardlink", link: "a/z" },
    ]);
  });

  test("a file named like a whiteout is one", async () => {
    const { snapshot } = await write(BASE);
    const upper = makeFolder();
    writeFileSync(join(upper, ".wh.l"), "x");
    expect(names(upper, [snapshot])).toEqual(["whiteout l"]);
  });
});

describe("settleUpper()", () => {
  test("leaves the folder as its layer's tar unpacks", async () => {
    const { snapshot } = await write(BASE);
    const upper = makeFolder();
    copyUp(snapshot, upper, "d/a");
    utimesSync(join(upper, "d"), 1, 1.5);
    for (const path of ["n", "n/sub"]) {
      mkdirSync(join(upper, path), { mode: 0o755 });
      xattrs.set(join(upper, path), "user.overlay.opaque", Buffer.from("y"));
    }
    writeFileSync(join(upper, "n/sub/f"), "x");
    linkSync(join(upper, "n/sub/f"), join(upper, "n/g"));
    writeFileSync(join(upper, ".wh.l"), "x");
    makeNode(join(upper, "none"), { kind: "char", mode: 0 });
    if (isRoot) makeNode(join(upper, "n/null"), { kind: "char", mode: 0o666, major: 1, minor: 3 });

    const entries = scanUpper(upper, [snapshot]);
    const chunks: Uint8Array[] = [];
    const packed = await writeLayer(entries, { onTarChunk: (chunk) => void chunks.push(chunk) });
    const { snapshot: fresh } = await write([...entries]);
    settleUpper(upper, entries);
    expect(describeFolder(upper)).toEqual(describeFolder(fresh));
    expect((await repack(upper)).equals(Buffer.concat(chunks))).toBe(true);
    expect(scanUpper(upper, [snapshot]).map(({ path }) => path)).toEqual(entries.map(({ path }) => path));
    expect(await packUpper(upper, [snapshot])).toEqual(packed);
  });

  test("marks a root that has an entry", async () => {
    const upper = makeFolder();
    chmodSync(upper, 0o700);
    const { treeId, diffId } = await packUpper(upper, []);
    const { packed } = await write([
      { path: "", kind: "dir", mode: 0o700, mtimeSeconds: scanUpper(upper, [])[0]?.mtimeSeconds as number },
    ]);
    expect({ treeId, diffId }).toEqual({ treeId: packed.treeId, diffId: packed.diffId });
    expect((await repack(upper)).length).toBe(packed.tarSize);
  });
});
