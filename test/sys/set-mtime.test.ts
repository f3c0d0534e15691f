import { closeSync, lstatSync, openSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { setFdMtime, setMtime } from "../../src/sys/index.ts";
import { makeTemporaryFolder } from "../tar/support.ts";

const mtimeNs = (path: string) => lstatSync(path, { bigint: true }).mtimeNs;
const SECOND = 1_000_000_000n;

test.each([0, 1, 1_700_000_000, -1, -1_000_000_000, 2 ** 32])("setMtime() to %d is exact", (seconds) => {
  const path = join(makeTemporaryFolder(), "f");
  writeFileSync(path, "x");
  const atime = lstatSync(path, { bigint: true }).atimeNs;
  setMtime(path, seconds);
  expect(mtimeNs(path)).toBe(BigInt(seconds) * SECOND);
  expect(lstatSync(path, { bigint: true }).atimeNs).toBe(atime);
});

test("setMtime() sets a symlink's own time", () => {
  const folder = makeTemporaryFolder();
  writeFileSync(join(folder, "f"), "x");
  const before = mtimeNs(join(folder, "f"));
  symlinkSync("f", join(folder, "l"));
  setMtime(join(folder, "l"), 5);
  expect(readlinkSync(join(folder, "l"))).toBe("f");
  expect(mtimeNs(join(folder, "l"))).toBe(5n * SECOND);
  expect(mtimeNs(join(folder, "f"))).toBe(before);
});

test("setFdMtime() sets the time of an open file", () => {
  const path = join(makeTemporaryFolder(), "f");
  const fd = openSync(path, "w");
  setFdMtime(fd, -7);
  closeSync(fd);
  expect(mtimeNs(path)).toBe(-7n * SECOND);
});

test("a path that is not there is named", () => {
  expect(() => setMtime("/does/not/exist", 0)).toThrow(
    expect.objectContaining({ code: "ENOENT", message: 'Cannot utimensat "/does/not/exist": ENOENT' }),
  );
});
