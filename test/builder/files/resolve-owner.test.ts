import { describe, expect, test } from "vitest";
import { namesSomebody, resolveOwner, resolveUser } from "../../../src/builder/files/index.ts";
import { contextOf } from "./support.ts";

const PASSWD = [
  "root:x:0:0:root:/root:/bin/sh",
  "# not a comment in this file",
  "",
  " nobody:x:65534:65533:nobody:/home:/bin/false",
  "u:x:1000:1001::/home/u:/bin/sh",
  "homeless:x:1002:1002",
  "twice:x:2000:2000::/first:",
  "twice:x:2001:2001::/second:",
  "odd:x:abc::",
  "below:x:-7:-8::",
].join("\n");
const GROUP = ["root:x:0:u", "#users:x:5:", "users:x:100:u,nobody", "staff:x:50:u", "u:x:1001:"].join("\n");

const image = () => contextOf({ "etc/passwd": PASSWD, "etc/group": GROUP });

describe("resolveOwner()", () => {
  test.each([
    ["1:2", 1, 2],
    ["7", 7, 7],
    [":9", 0, 9],
    ["u", 1000, 1001],
    ["u:", 1000, 0],
    ["5:", 5, 0],
    [":", 0, 0],
    ["u:users", 1000, 100],
    ["5:staff", 5, 50],
    ["u:7", 1000, 7],
    ["root", 0, 0],
    ["root:users", 0, 100],
    ["ghost", 0, 0],
    ["ghost:ghosts", 0, 0],
    ["u:ghosts", 1000, 1001],
    ["7:ghosts", 7, 7],
    ["nobody", 65534, 65533],
    ["twice", 2000, 2000],
    ["odd", 0, 0],
    ["below", 0, 0],
    ["99999999999", 0, 0],
  ])("%s is %i:%i", (spec, uid, gid) => {
    expect(resolveOwner(spec, image())).toEqual({ uid, gid });
  });

  test.each([
    ["1:2", false],
    ["+7", false],
    [":", false],
    ["root:root", false],
    ["u", true],
    ["1:users", true],
    ["4294967294", true],
  ])("%s has to be looked up: %s", (spec, expected) => {
    expect(namesSomebody(spec)).toBe(expected);
  });

  test("names are 0 where there is no /etc/passwd", () => {
    expect(resolveOwner("u:users", contextOf({}))).toEqual({ uid: 0, gid: 0 });
  });

  test("without any file system numbers and root will do, names are an error", () => {
    expect(resolveOwner("3:root", undefined)).toEqual({ uid: 3, gid: 0 });
    expect(() => resolveOwner("u", undefined)).toThrow("invalid user index: -1");
    expect(() => resolveOwner("3:users", undefined)).toThrow("invalid user index: -1");
  });

  test("the files may be reached through links", () => {
    const tree = contextOf({ "usr/etc/passwd": PASSWD, etc: "-> /usr/etc" });
    expect(resolveOwner("u", tree)).toEqual({ uid: 1000, gid: 1001 });
  });

  test("a folder in their place is an error", () => {
    expect(() => resolveOwner("u", contextOf({ "etc/passwd/": "" }))).toThrow("not a regular file");
  });
});

describe("resolveUser()", () => {
  test.each([
    ["", 0, 0, [0], "/root"],
    ["root", 0, 0, [0], "/root"],
    ["u", 1000, 1001, [1001, 0, 100, 50], "/home/u"],
    ["1000", 1000, 1001, [1001, 0, 100, 50], "/home/u"],
    ["4242", 4242, 0, [0], "/"],
    ["u:7", 1000, 7, [7], "/home/u"],
    ["u:users", 1000, 100, [100], "/home/u"],
    ["5:6", 5, 6, [6], "/"],
    ["1000:1001", 1000, 1001, [1001], "/home/u"],
    ["root:root", 0, 0, [0], "/root"],
    ["0:9", 0, 9, [9], "/root"],
    ["+5", 5, 0, [0], "/"],
    [":users", 0, 100, [100], "/root"],
    ["nobody", 65534, 65533, [65533, 100], "/home"],
    ["homeless", 1002, 1002, [1002], "/"],
  ])("%j is %i:%i with groups %j and home %s", (spec, uid, gid, additionalGids, home) => {
    expect(resolveUser(spec, image())).toEqual({ uid, gid, additionalGids, home });
  });

  test("root needs no files", () => {
    expect(resolveUser("", contextOf({}))).toEqual({ uid: 0, gid: 0, additionalGids: [0], home: "/" });
  });

  test("unknown names are refused in Docker's words", () => {
    expect(() => resolveUser("ghost", image())).toThrow(
      "unable to find user ghost: no matching entries in passwd file",
    );
    expect(() => resolveUser("u:ghosts", image())).toThrow(
      "unable to find group ghosts: no matching entries in group file",
    );
    expect(() => resolveUser("u:1:2", image())).toThrow("unable to find group 1:2");
    for (const id of ["99999999999", "2147483648", "-1", "0:-1"])
      expect(() => resolveUser(id, image())).toThrow("uids and gids must be in range 0-2147483647");
  });
});
