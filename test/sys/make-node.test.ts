import { lstatSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { decodeDevice, encodeDevice, makeNode } from "../../src/sys/index.ts";
import { makeTemporaryFolder } from "../tar/support.ts";

const isRoot = process.getuid?.() === 0;

test("encodeDevice() and decodeDevice() agree over the whole range", () => {
  for (const [major, minor] of [
    [0, 0],
    [1, 3],
    [8, 17],
    [255, 255],
    [256, 256],
    [4095, 1048575],
    [4096, 1048576],
  ] as const) {
    expect(decodeDevice(Number(encodeDevice(major, minor)))).toEqual({ major, minor });
  }
  // As glibc has it: makedev(259, 300) in C.
  expect(encodeDevice(259, 300)).toBe(0x11032cn);
});

test("makeNode() makes a FIFO without privileges", () => {
  const path = join(makeTemporaryFolder(), "p");
  makeNode(path, { kind: "fifo", mode: 0o600 });
  expect(lstatSync(path).isFIFO()).toBe(true);
  expect(() => makeNode(path, { kind: "fifo", mode: 0o600 })).toThrow(
    expect.objectContaining({ code: "EEXIST", syscall: "mknod" }),
  );
});

describe.skipIf(!isRoot)("as root", () => {
  test.each([
    ["char", 0, 0],
    ["char", 1, 3],
    ["block", 7, 300],
  ] as const)("makeNode() makes a %s device %d:%d", (kind, major, minor) => {
    const path = join(makeTemporaryFolder(), "d");
    makeNode(path, { kind, mode: 0o600, major, minor });
    const stats = lstatSync(path);
    expect(kind === "char" ? stats.isCharacterDevice() : stats.isBlockDevice()).toBe(true);
    expect(decodeDevice(stats.rdev)).toEqual({ major, minor });
  });
});
