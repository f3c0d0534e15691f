import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Digest, digestOf } from "../../../src/oci/digest.ts";
import { type UnpackLayerOptions, unpackLayer } from "../../../src/store/layers/index.ts";
import { Xattrs } from "../../../src/sys/index.ts";
import { makeBlock } from "../../tar/support.ts";
import {
  chunksOf,
  describeFolder,
  isRoot,
  makeFolder,
  makeTar,
  makeTemporaryFolder,
  repack,
  run,
  type Spec,
  write,
} from "./support.ts";

async function unpack(tar: Uint8Array, options: UnpackLayerOptions & { readonly chunkBytes?: number } = {}) {
  const folder = makeFolder();
  const { chunkBytes = 10_000, ...rest } = options;
  return { folder, result: await unpackLayer(chunksOf(tar, chunkBytes), folder, rest) };
}

const files = (folder: string) => describeFolder(folder).map((line) => line.split(" ")[0]);
const read = (folder: string, path: string) => readFileSync(join(folder, path), "utf8");

describe("unpackLayer()", () => {
  test("gives the snapshot that writeLayer() made, for any chunks", async () => {
    const { tar, snapshot, packed } = await write([
      { path: "d", kind: "dir", mode: 0o1777, mtimeSeconds: 5 },
      { path: "d", kind: "opaque" },
      {
        path: "d/f",
        content: "x".repeat(3000),
        mode: 0o4755,
        xattrs: { "user.x": Buffer.from([1, 0, 255]) },
      },
      { path: "d/g", kind: "hardlink", link: "d/f" },
      { path: "d/h", kind: "whiteout" },
      { path: "l", kind: "symlink", link: "/etc" },
      { path: "p", kind: "fifo", mode: 0o600 },
      { path: "ü".repeat(100), content: "", mtimeSeconds: -1 },
    ]);
    for (const chunkBytes of [1, 512, 777, tar.length]) {
      const { folder, result } = await unpack(tar, { expectedDiffId: packed.diffId, chunkBytes });
      expect(describeFolder(folder)).toEqual(describeFolder(snapshot));
      expect(result).toEqual({ diffId: packed.diffId, tarSize: tar.length, impliedFolders: [] });
      expect((await repack(folder)).equals(tar)).toBe(true);
    }
  });

  test("counts all bytes, also those after the end marker", async () => {
    const tar = Buffer.concat([makeTar([{ path: "a" }]), Buffer.alloc(8192)]);
    const { result } = await unpack(tar, { expectedDiffId: digestOf(tar) });
    expect(result.tarSize).toBe(tar.length);
  });

  test("refuses a layer with another digest", async () => {
    const tar = makeTar([{ path: "a" }]);
    const wrong = `sha256:${"0".repeat(64)}` as Digest;
    await expect(unpack(tar, { expectedDiffId: wrong })).rejects.toMatchObject({ code: "DIFF_ID_MISMATCH" });
    const longer = Buffer.concat([tar, Buffer.alloc(1)]);
    await expect(unpack(longer, { expectedDiffId: digestOf(tar) })).rejects.toMatchObject({
      code: "DIFF_ID_MISMATCH",
    });
  });

  test("takes a tar that lacks its end marker, as Docker does, but none that is cut off", async () => {
    const tar = makeTar([{ path: "a", content: "hello" }]);
    const bare = tar.subarray(0, 1024);
    expect(files((await unpack(bare, { expectedDiffId: digestOf(bare) })).folder)).toEqual(["a"]);
    await expect(unpack(tar.subarray(0, 700))).rejects.toMatchObject({ code: "TRUNCATED" });
  });

  test("passes on what its source throws, and stops at an abort", async () => {
    async function* broken() {
      yield makeTar([{ path: "a", content: "x" }]).subarray(0, 512);
      throw new Error("connection reset");
    }
    await expect(unpackLayer(broken(), makeFolder())).rejects.toThrow("connection reset");
    const reason = new Error("enough");
    await expect(unpack(makeTar([{ path: "a" }]), { signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    );
  });

  test("makes missing folders 0755, and says which", async () => {
    const { folder, result } = await unpack(
      makeTar([{ path: "a/b/c" }, { path: "a/b", kind: "dir", mode: 0o700 }]),
    );
    expect(describeFolder(folder)[0]).toMatch(/^a 40755 0:0 /);
    expect(describeFolder(folder)[1]).toMatch(/^a\/b 40700 /);
    expect(result.impliedFolders).toEqual(["a"]);
  });

  test("makes missing folders like the layers below have them, where it can look", async () => {
    const lower = makeTemporaryFolder();
    mkdirSync(join(lower, "tmp"));
    chmodSync(join(lower, "tmp"), 0o1777);
    new Xattrs().set(join(lower, "tmp"), "user.t", Buffer.from("1"));
    const { folder, result } = await unpack(makeTar([{ path: "tmp/f" }, { path: "other/f" }]), {
      resolveLower: (path) => (path === "tmp" ? join(lower, "tmp") : undefined),
    });
    const lines = describeFolder(folder);
    expect(lines[0]).toMatch(/^other 40755 /);
    expect(lines[2]).toMatch(/^tmp 41777 .* user\.t=31$/);
    expect(result.impliedFolders).toEqual(["tmp", "other"]);
  });

  test("a global header, ./ before names, and slashes at either end are no matter", async () => {
    const { folder } = await unpack(
      makeTar([{ path: ".", kind: "dir" }, { path: "./d//", kind: "dir" }, { path: "/d/./f" }]),
    );
    expect(files(folder)).toEqual(["d", "d/f"]);
  });
});

describe("an entry for a path that is taken", () => {
  const cases: readonly (readonly [string, readonly Spec[], readonly string[]])[] = [
    [
      "file over file",
      [
        { path: "a", content: "1" },
        { path: "a", content: "2" },
      ],
      ["a"],
    ],
    ["file over folder", [{ path: "a", kind: "dir" }, { path: "a/b" }, { path: "a", content: "2" }], ["a"]],
    [
      "folder over file",
      [{ path: "a", content: "1" }, { path: "a", kind: "dir" }, { path: "a/b" }],
      ["a", "a/b"],
    ],
    [
      "folder over folder",
      [{ path: "a", kind: "dir", mode: 0o700 }, { path: "a/b" }, { path: "a", kind: "dir" }],
      ["a", "a/b"],
    ],
    [
      "folder over symlink",
      [
        { path: "t", kind: "dir" },
        { path: "a", kind: "symlink", link: "t" },
        { path: "a", kind: "dir" },
        { path: "a/b" },
      ],
      ["a", "a/b", "t"],
    ],
    [
      "symlink over folder",
      [{ path: "a", kind: "dir" }, { path: "a/b" }, { path: "a", kind: "symlink", link: "x" }],
      ["a"],
    ],
    [
      "hard link over file",
      [
        { path: "a", content: "1" },
        { path: "b", content: "2" },
        { path: "a", kind: "hardlink", link: "b" },
      ],
      ["a", "b"],
    ],
    [
      "hard link to itself",
      [
        { path: "a", content: "1" },
        { path: "a", kind: "hardlink", link: "a" },
      ],
      ["a"],
    ],
    [
      "FIFO over FIFO",
      [
        { path: "a", kind: "fifo" },
        { path: "a", kind: "fifo" },
      ],
      ["a"],
    ],
  ];
  test.each(cases)("%s: the last counts", async (_name, specs, expected) => {
    const { folder } = await unpack(makeTar(specs));
    expect(files(folder)).toEqual(expected);
    const last = specs.at(-1) as Spec;
    if (typeof last.content === "string") expect(read(folder, last.path)).toBe(last.content);
  });

  test("a folder's attributes are the last entry's alone", async () => {
    const { folder } = await unpack(
      makeTar([
        { path: "a", kind: "dir", mode: 0o700, xattrs: { "user.old": Buffer.from("1") }, mtimeSeconds: 1 },
        { path: "a", kind: "dir", mode: 0o755, xattrs: { "user.new": Buffer.from("1") }, mtimeSeconds: 2 },
      ]),
    );
    expect(describeFolder(folder)).toEqual(["a 40755 0:0 0 2   user.new=31"]);
  });

  test("a folder that is gone leaves its time to nobody", async () => {
    const { folder } = await unpack(
      makeTar([
        { path: "a", kind: "dir", mtimeSeconds: 1 },
        { path: "a", content: "x", mtimeSeconds: 2 },
      ]),
    );
    expect(describeFolder(folder)[0]).toMatch(/^a 100644 0:0 0 2 /);
  });
});

describe("whiteouts", () => {
  test("hide what is below, never what the layer has, in either order", async () => {
    const whiteout: Spec = { path: "a", kind: "whiteout" };
    const file: Spec = { path: "a", content: "1" };
    expect(describeFolder((await unpack(makeTar([whiteout]))).folder)).toEqual(["a whiteout"]);
    for (const specs of [
      [whiteout, file],
      [file, whiteout],
    ]) {
      expect(describeFolder((await unpack(makeTar(specs))).folder)[0]).toMatch(/^a 100644 /);
    }
  });

  test("of a folder that the layer has make it opaque, in either order", async () => {
    const whiteout: Spec = { path: "d", kind: "whiteout" };
    const folder: Spec = { path: "d", kind: "dir" };
    const file: Spec = { path: "d/f" };
    for (const specs of [
      [whiteout, folder, file],
      [folder, file, whiteout],
      [whiteout, file, folder],
    ]) {
      const lines = describeFolder((await unpack(makeTar(specs))).folder);
      expect(lines[0]).toMatch(/^d 40644 .* user\.overlay\.opaque=79$/);
      expect(lines[1]).toMatch(/^d\/f /);
    }
  });

  test("opaque marks may come after what is in the folder, or without the folder", async () => {
    const { folder } = await unpack(
      makeTar([{ path: "d/f" }, { path: "d", kind: "opaque" }, { path: "e", kind: "opaque" }]),
    );
    const lines = describeFolder(folder);
    expect(lines.map((line) => /^(\S+) .*opaque=79$/.exec(line)?.[1])).toEqual(["d", undefined, "e"]);
  });

  test("of the root: all layers below are hidden", async () => {
    const { folder } = await unpack(makeTar([{ path: "", kind: "opaque" }, { path: "f" }]));
    expect(new Xattrs().get(folder, "user.overlay.opaque")).toEqual(new Uint8Array([0x79]));
  });

  test("with names of AUFS or of nothing are passed over, with their content", async () => {
    const specs: readonly Spec[] = [".wh..wh.plnk", ".wh.", ".wh..", ".wh..."].map((path) => ({
      path,
      content: "x".repeat(600),
    }));
    expect(files((await unpack(makeTar([...specs, { path: "f" }]))).folder)).toEqual(["f"]);
  });
});

describe("hard links", () => {
  test("share the file; a header of their own counts for it", async () => {
    const { folder } = await unpack(
      makeTar([
        { path: "f", content: "x", mode: 0o600, mtimeSeconds: 1 },
        { path: "h", kind: "hardlink", link: "./f", mode: 0o755, mtimeSeconds: 2 },
      ]),
    );
    expect(describeFolder(folder).map((line) => line.slice(0, 20))).toEqual([
      "f 100755 0:0 0 2 2d7",
      "h 100755 0:0 0 2 2d7",
    ]);
    expect(
      run("stat", ["-c", "%h", join(folder, "f")])
        .toString()
        .trim(),
    ).toBe("2");
  });

  test("to a symlink or FIFO link to that itself", async () => {
    const { folder } = await unpack(
      makeTar([
        { path: "l", kind: "symlink", link: "/etc/passwd" },
        { path: "hl", kind: "hardlink", link: "l", mode: 0o600 },
        { path: "p", kind: "fifo" },
        { path: "hp", kind: "hardlink", link: "p" },
      ]),
    );
    expect(describeFolder(folder).map((line) => line.split(" ").slice(0, 2))).toEqual([
      ["hl", "120777"],
      ["hp", "10644"],
      ["l", "120777"],
      ["p", "10644"],
    ]);
  });

  test("into a lower layer become copies that share one file", async () => {
    const lower = makeTemporaryFolder();
    writeFileSync(join(lower, "f"), Buffer.alloc(3_000_000, 7));
    new Xattrs().set(join(lower, "f"), "user.a", Buffer.from("1"));
    const resolveLower = (path: string) => (path === "below/f" ? join(lower, "f") : undefined);
    const tar = makeTar([
      { path: "x", kind: "hardlink", link: "below/f", mode: 0o640, mtimeSeconds: 9 },
      { path: "y", kind: "hardlink", link: "below/f", mode: 0o640, mtimeSeconds: 9 },
    ]);
    const { folder } = await unpack(tar, { resolveLower });
    const [x, y] = describeFolder(folder);
    expect(x).toMatch(/^x 100640 0:0 0 9 .* user\.a=31$/);
    expect(y).toMatch(/= x user\.a=31$/);
    expect(readFileSync(join(folder, "x")).equals(Buffer.alloc(3_000_000, 7))).toBe(true);
    await expect(unpack(tar)).rejects.toMatchObject({ code: "LINK_TARGET_MISSING" });
  });

  test("to what the layer itself removes are links to nothing", async () => {
    const tar = makeTar([
      { path: "w", kind: "whiteout" },
      { path: "h", kind: "hardlink", link: "w" },
    ]);
    await expect(unpack(tar)).rejects.toMatchObject({ code: "LINK_TARGET_MISSING" });
  });

  test.skipIf(!isRoot)("a change of owner by a link's header keeps the file's capability", async () => {
    const capability = Buffer.from("0100000200200000000000000000000000000000", "hex");
    const { folder } = await unpack(
      makeTar([
        { path: "f", content: "x", mode: 0o755, xattrs: { "security.capability": capability } },
        { path: "h", kind: "hardlink", link: "f", mode: 0o755, uid: 5 },
      ]),
    );
    expect(describeFolder(folder)[0]).toMatch(
      new RegExp(`^f 100755 5:0 .*security\\.capability=${capability.toString("hex")}$`),
    );
  });
});

describe("sparse files", () => {
  test("have holes on disk too", async () => {
    const folder = makeTemporaryFolder();
    run("truncate", ["-s", "50000000", join(folder, "f")]);
    run("dd", [
      "if=/dev/zero",
      `of=${join(folder, "f")}`,
      "conv=notrunc",
      "bs=1",
      "count=3",
      "seek=40000000",
      "status=none",
    ]);
    const tar = run("tar", ["-c", "--sparse", "-f", "-", "-C", folder, "f"]);
    const { folder: unpacked } = await unpack(tar);
    expect(run("cmp", [join(folder, "f"), join(unpacked, "f")]).length).toBe(0);
    const blocks = Number(run("stat", ["-c", "%b", join(unpacked, "f")]).toString());
    expect(blocks * 512).toBeLessThan(1_000_000);
  });
});

describe("attributes", () => {
  test("only those that layers store are set, and none where the kernel refuses", async () => {
    const value = Buffer.from("y");
    const { folder } = await unpack(
      makeTar([
        {
          path: "d",
          kind: "dir",
          xattrs: {
            "user.overlay.opaque": value,
            "user.overlay.redirect": value,
            "trusted.overlay.opaque": value,
            "system.posix_acl_access": value,
            "user.mine": value,
          },
        },
        { path: "l", kind: "symlink", link: "d", xattrs: { "user.mine": value } },
        { path: "p", kind: "fifo", xattrs: { "user.mine": value } },
      ]),
    );
    const xattrs = new Xattrs();
    expect(xattrs.list(join(folder, "d"))).toEqual(["user.mine"]);
    expect(files(folder)).toEqual(["d", "l", "p"]);
  });

  test("names longer than the file system allows are an error", async () => {
    await expect(unpack(makeTar([{ path: "n".repeat(256) }]))).rejects.toMatchObject({
      code: "ENAMETOOLONG",
    });
    await expect(unpack(makeTar([{ path: `${"a/".repeat(100_000)}b` }]))).rejects.toMatchObject({
      code: "ENTRY_INVALID",
    });
  });

  test("a root that is no folder is an error", async () => {
    await expect(
      unpack(Buffer.concat([makeBlock({ name: "./", type: "2" }), Buffer.alloc(1024)])),
    ).rejects.toMatchObject({
      code: "ENTRY_INVALID",
    });
  });
});
