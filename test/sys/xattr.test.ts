import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { SysError, Xattrs } from "../../src/sys/index.ts";
import { hasProgram, makeTemporaryFolder, run } from "../tar/support.ts";

const xattrs = new Xattrs();

function makeFile(): string {
  const path = join(makeTemporaryFolder(), "f");
  writeFileSync(path, "x");
  return path;
}

describe("Xattrs", () => {
  test("set(), get() and list() agree, for any bytes", () => {
    const path = makeFile();
    const value = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    expect(xattrs.list(path)).toEqual([]);
    xattrs.set(path, "user.b", value);
    xattrs.set(path, "user.a", Buffer.alloc(0));
    expect([...xattrs.list(path)].sort()).toEqual(["user.a", "user.b"]);
    expect(xattrs.get(path, "user.b")).toEqual(new Uint8Array(value));
    expect(xattrs.get(path, "user.a")).toEqual(new Uint8Array());
  });

  test("a value is a copy: the next call does not change it", () => {
    const path = makeFile();
    xattrs.set(path, "user.a", Buffer.from("first"));
    xattrs.set(path, "user.b", Buffer.from("other"));
    const first = xattrs.get(path, "user.a") as Uint8Array;
    xattrs.get(path, "user.b");
    expect(Buffer.from(first).toString()).toBe("first");
  });

  test("get() of what is not there is undefined, remove() of it does nothing", () => {
    const path = makeFile();
    expect(xattrs.get(path, "user.none")).toBeUndefined();
    xattrs.remove(path, "user.none");
    xattrs.set(path, "user.a", Buffer.from("1"));
    xattrs.remove(path, "user.a");
    expect(xattrs.list(path)).toEqual([]);
  });

  test("paths are bytes", () => {
    const folder = makeTemporaryFolder();
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff, 0x20])]), "x");
    xattrs.set(`${folder}/\xff `, "user.a", Buffer.from("1"));
    expect(xattrs.list(`${folder}/\xff `)).toEqual(["user.a"]);
  });

  test("a symlink is not followed", () => {
    const path = makeFile();
    xattrs.set(path, "user.a", Buffer.from("1"));
    symlinkSync(path, `${path}-link`);
    expect(xattrs.list(`${path}-link`)).toEqual([]);
  });

  test("what fails says call, path and errno", () => {
    const attempt = () => xattrs.list("/does/not/exist");
    expect(attempt).toThrow(SysError);
    expect(attempt).toThrow(
      expect.objectContaining({
        code: "ENOENT",
        errno: 2,
        syscall: "llistxattr",
        message: 'Cannot llistxattr "/does/not/exist": ENOENT',
      }),
    );
    expect(() => xattrs.set(makeFile(), "nonsense", Buffer.from("1"))).toThrow(
      expect.objectContaining({ code: "ENOTSUP" }),
    );
  });

  test("a NUL in a path is the caller's mistake", () => {
    expect(() => xattrs.list("/tmp\0/x")).toThrow(RangeError);
  });

  test.skipIf(!hasProgram("getfattr"))("getfattr sees what we set", () => {
    const path = makeFile();
    xattrs.set(path, "user.hello", Buffer.from("world"));
    expect(run("getfattr", ["-d", "--absolute-names", path]).toString()).toContain('user.hello="world"');
  });
});
