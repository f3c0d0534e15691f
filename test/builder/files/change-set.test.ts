import { describe, expect, test } from "vitest";
import { ChangeSet } from "../../../src/builder/files/change-set.ts";
import type { ChangedFile } from "../../../src/builder/files/changed-file.ts";
import { bytes, MemoryTree, show } from "./support.ts";

const FILE: ChangedFile = {
  kind: "file",
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtimeSeconds: 0,
  size: 0,
  content: { kind: "bytes", bytes: new Uint8Array(0) },
};
const DIR: ChangedFile = { kind: "dir", mode: 0o755, uid: 1, gid: 1, mtimeSeconds: 0, size: 0 };

function changesOf(): ChangeSet {
  return new ChangeSet(
    new MemoryTree({
      "d/a": {},
      "d/s/b": {},
      d: { kind: "dir", mode: 0o700, uid: 7, mtimeSeconds: 70 },
      f: {},
    }),
  );
}

test("nothing done is nothing to say", () => {
  expect(changesOf().toEntries()).toEqual([]);
});

test("a change brings up the folders above it as they are", () => {
  const changes = changesOf();
  changes.put(bytes("d/s/new"), FILE);
  expect(show(changes.toEntries())).toEqual(["d dir 700 7:0", "d/s dir 755 0:0", "d/s/new file 644 0:0"]);
});

describe("remove()", () => {
  test("leaves a whiteout for what is below, and nothing for what is not", () => {
    const changes = changesOf();
    changes.put(bytes("new"), FILE);
    changes.remove(bytes("new"));
    changes.remove(bytes("f"));
    changes.remove(bytes("none"));
    changes.remove(bytes("d"));
    expect(show(changes.toEntries())).toEqual(["d whiteout", "f whiteout"]);
    expect(changes.lstat(bytes("d/a"))).toBeUndefined();
    expect(changes.readdir(bytes(""))).toEqual([]);
  });

  test("a folder made again afterwards hides what was in it", () => {
    const changes = changesOf();
    changes.remove(bytes("d"));
    changes.put(bytes("d"), DIR);
    changes.put(bytes("d/x"), FILE);
    expect(show(changes.toEntries())).toEqual(["d dir 755 1:1", "d opaque", "d/x file 644 0:0"]);
    expect(changes.lstat(bytes("d/a"))).toBeUndefined();
    expect(changes.readdir(bytes("d"))).toEqual(["x"]);
    changes.remove(bytes("d/x"));
    expect(show(changes.toEntries())).toEqual(["d dir 755 1:1", "d opaque"]);
  });

  test("a file in a folder's place needs no mark, nor the other way round", () => {
    const changes = changesOf();
    changes.remove(bytes("d"));
    changes.put(bytes("d"), FILE);
    changes.remove(bytes("f"));
    changes.put(bytes("f"), DIR);
    expect(show(changes.toEntries())).toEqual(["d file 644 0:0", "f dir 755 1:1"]);
  });
});

test("names of one file change together", () => {
  const changes = changesOf();
  expect(changes.link(bytes("d/a"), bytes("x"))).toBe(true);
  const file = changes.edit(bytes("x"));
  if (file !== undefined) file.mode = 0o600;
  expect(show(changes.toEntries())).toEqual([
    "d dir 700 7:0",
    "d/a file 600 0:0",
    "x hardlink 600 0:0 -> d/a",
  ]);
  expect(changes.link(bytes("none"), bytes("y"))).toBe(false);
  expect(changes.link(bytes("d"), bytes("y"))).toBe(false);
});

test("looking at it shows both", () => {
  const changes = changesOf();
  changes.put(bytes("d/new"), FILE);
  changes.remove(bytes("d/a"));
  expect(changes.readdir(bytes("d"))).toEqual(["new", "s"]);
  expect(changes.lstat(bytes("d/s/b"))?.kind).toBe("file");
  expect(changes.lstat(bytes("d"))?.mtimeSeconds).toBe(70);
});

test("what makes no sense is the caller's mistake", () => {
  const changes = changesOf();
  expect(() => changes.put(bytes("d"), FILE)).toThrow(RangeError);
  expect(() => changes.put(bytes("none/x"), FILE)).toThrow(RangeError);
  expect(() => changes.put(bytes("f/x"), FILE)).toThrow(RangeError);
});
