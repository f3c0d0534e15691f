import { describe, expect, test } from "vitest";
import type { ByteString } from "../../src/oci/layer-entry.ts";
import { encodeHeader, paddingOf } from "../../src/tar/index.ts";
import { makeEntry, readAll, type Spec, setChecksum } from "./support.ts";

const END = Buffer.alloc(1024);

async function roundTrip(spec: Spec) {
  const entry = makeEntry(spec);
  const header = encodeHeader(entry);
  const body = Buffer.from(spec.content ?? "");
  const [read] = await readAll(Buffer.concat([header, body, Buffer.alloc(paddingOf(body.length)), END]));
  return { entry, header, read };
}

test("encodeHeader() of a plain file is one ustar block, with these bytes", () => {
  const header = encodeHeader(
    makeEntry({ path: "etc/motd", content: "hello\n", mode: 0o4755, uid: 12, gid: 34 }),
  );
  const expected = Buffer.alloc(512);
  expected.write("etc/motd", 0);
  expected.write("0004755", 100);
  expected.write("0000014", 108);
  expected.write("0000042", 116);
  expected.write("00000000006", 124);
  expected.write("14524770400", 136);
  expected.write("0", 156);
  expected.write("ustar\x0000", 257, "latin1");
  expected.write("0000000", 329);
  expected.write("0000000", 337);
  setChecksum(expected);
  expect(header.toString("latin1")).toBe(expected.toString("latin1"));
});

describe("what fits a ustar header takes one block", () => {
  const cases: readonly (readonly [string, Spec])[] = [
    ["a name of 100 bytes", { path: "n".repeat(100) }],
    ["a folder of 99 bytes and its slash", { path: "n".repeat(99), kind: "dir" }],
    ["a path of 255 bytes with a slash in the right place", { path: `${"p".repeat(155)}/${"n".repeat(99)}` }],
    ["a link of 100 bytes", { path: "l", kind: "symlink", link: "t".repeat(100) }],
    ["an owner of 2097151", { path: "f", uid: 2097151, gid: 2097151 }],
    ["a time of 2^33 - 1", { path: "f", mtimeSeconds: 2 ** 33 - 1 }],
    ["a size of 8 GiB - 1", { path: "f", size: 8 * 2 ** 30 - 1 }],
  ];
  test.each(cases)("%s", (_name, spec) => {
    expect(encodeHeader(makeEntry(spec)).length).toBe(512);
  });
});

describe("what does not fit goes into a PAX header and comes back the same", () => {
  const cases: readonly (readonly [string, Spec])[] = [
    ["a name of 101 bytes without a slash", { path: "n".repeat(101) }],
    ["a folder of 100 bytes, for its slash", { path: "n".repeat(100), kind: "dir" }],
    ["a name of 4000 bytes", { path: `${"d/".repeat(1999)}ff` }],
    ["a prefix of 156 bytes", { path: `${"p".repeat(156)}/${"n".repeat(99)}` }],
    ["a link of 101 bytes", { path: "l", kind: "symlink", link: "t".repeat(101) }],
    ["a hard link to a long name", { path: "l", kind: "hardlink", link: "t".repeat(300) }],
    ["a name with an umlaut", { path: "käse/größe" }],
    ["a link with an umlaut", { path: "l", kind: "symlink", link: "../größe" }],
    ["an owner of 2097152", { path: "f", uid: 2097152, gid: 4294967294 }],
    ["a time before 1970", { path: "f", mtimeSeconds: -1 }],
    ["a time of 2^33", { path: "f", mtimeSeconds: 2 ** 33 }],
  ];
  test.each(cases)("%s", async (_name, spec) => {
    const { entry, header, read } = await roundTrip(spec);
    expect(header.length).toBeGreaterThan(512);
    const name = entry.kind === "dir" ? `${entry.path}/` : entry.path;
    expect(read).toMatchObject({
      kind: entry.kind,
      name,
      link: entry.link ?? "",
      uid: entry.uid,
      gid: entry.gid,
      mtimeSeconds: entry.mtimeSeconds,
    });
  });

  test("a size of 8 GiB", () => {
    const header = encodeHeader(makeEntry({ path: "f", size: 8 * 2 ** 30 }));
    expect(header.toString("latin1", 512, 512 + 19)).toBe("19 size=8589934592\n");
    expect(header.toString("latin1", 1024 + 124, 1024 + 135)).toBe("00000000000");
  });
});

test("a name that is no UTF-8 survives, announced as binary", async () => {
  const path = "a\xff\xfeb" as ByteString;
  const header = encodeHeader({ ...makeEntry({ path: "x" }), path });
  expect(header.includes("21 hdrcharset=BINARY\n", 0, "latin1")).toBe(true);
  const [read] = await readAll(Buffer.concat([header, END]));
  expect(read?.name).toBe(path);
});

test("extended attributes are binary-safe, sorted, and may have = and % in their names", async () => {
  const xattrs = {
    "user.z": Buffer.from([0, 10, 255, 61]),
    "security.capability": Buffer.from("0100000200040000000000000000000000000000", "hex"),
    "user.a=b%3D": Buffer.alloc(0),
  };
  const { header, read } = await roundTrip({ path: "f", content: "x", xattrs });
  expect([...(read?.xattrs ?? [])]).toEqual([
    ["security.capability", xattrs["security.capability"]],
    ["user.a=b%3D", xattrs["user.a=b%3D"]],
    ["user.z", xattrs["user.z"]],
  ]);
  expect(header.includes("SCHILY.xattr.user.a%3Db%253D=\n", 0, "latin1")).toBe(true);
  const reversed = Object.fromEntries(Object.entries(xattrs).reverse());
  expect(encodeHeader(makeEntry({ path: "f", content: "x", xattrs: reversed })).equals(header)).toBe(true);
});

test("whiteouts, opaque marks and the root have the names that layers give them", async () => {
  const named = async (spec: Spec) => (await roundTrip(spec)).read?.name;
  expect(await named({ path: "a/b", kind: "whiteout" })).toBe("a/.wh.b");
  expect(await named({ path: "b", kind: "whiteout" })).toBe(".wh.b");
  expect(await named({ path: "a", kind: "opaque" })).toBe("a/.wh..wh..opq");
  expect(await named({ path: "", kind: "opaque" })).toBe(".wh..wh..opq");
  expect(await named({ path: "", kind: "dir" })).toBe("./");
});

test("devices keep their numbers up to Linux's largest", async () => {
  const { read } = await roundTrip({ path: "d", kind: "block", major: 4095, minor: 1048575 });
  expect(read).toMatchObject({ kind: "block", major: 4095, minor: 1048575 });
});
