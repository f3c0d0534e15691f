import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { digestOf } from "../../../src/oci/index.ts";
import { UNPACK, UNPACKED_DIGEST } from "../../../src/registry/index.ts";
import { folderLayer, tarOf, writeArtifact } from "../../support/artifact-layouts.ts";
import { ArtifactFolder } from "./artifact-folder.ts";

const { at, done, listing, refused } = new ArtifactFolder();

describe("artifact pull", () => {
  it("leaves what is there, unless it is to be replaced", async () => {
    await writeArtifact(at("lay"), "1", [
      { title: "a", content: "new" },
      folderLayer("d", [
        { kind: "dir", path: "d" },
        { kind: "file", path: "d/x", content: "new" },
        { kind: "file", path: "d/y", content: "new" },
      ]),
    ]);
    mkdirSync(at("out/d"), { recursive: true });
    writeFileSync(at("out/d/x"), "old");
    writeFileSync(at("out/other"), "old");
    expect(await refused(["pull", "-o", "out", "oci:lay:1"])).toContain(
      'Cannot write "out/d/x": it is there already',
    );
    expect(listing("out")).toEqual({ "d/": "", "d/x": "old", other: "old" });
    await done(["pull", "-o", "out", "--overwrite", "oci:lay:1"]);
    expect(listing("out")).toEqual({ a: "new", "d/": "", "d/x": "new", "d/y": "new", other: "old" });
  });

  it("never puts a file where a folder is, nor follows a symlink that is there", async () => {
    await writeArtifact(at("lay"), "1", [{ title: "d/a", content: "new" }]);
    await writeArtifact(at("lay"), "2", [{ title: "d", content: "new" }]);
    mkdirSync(at("elsewhere"));
    mkdirSync(at("out"));
    symlinkSync("../elsewhere", at("out/d"));
    expect(await refused(["pull", "-o", "out", "--overwrite", "oci:lay:1"])).toContain(
      'Cannot write "out/d": it is a symlink, and is not followed',
    );
    // The symlink itself is a file like any other.
    await done(["pull", "-o", "out", "--overwrite", "oci:lay:2"]);
    expect(listing("out")).toEqual({ d: "new" });
    expect(await refused(["pull", "-o", "out", "--overwrite", "oci:lay:1"])).toContain(
      "a file is in its place",
    );
    mkdirSync(at("third/d"), { recursive: true });
    expect(await refused(["pull", "-o", "third", "--overwrite", "oci:lay:2"])).toContain(
      "a folder is in its place",
    );
    expect(readdirSync(at("elsewhere"))).toEqual([]);
  });

  it.each(["../x", "/etc/x", "a/../../x", "a\0b", "x".repeat(300), ".strake-pull/x", ".strake-pull"])(
    "refuses the title %j",
    async (title) => {
      await writeArtifact(at("lay"), "1", [
        { title: "fine", content: "1" },
        { title, content: "2" },
      ]);
      await refused(["pull", "-o", "deep/out", "oci:lay:1"]);
      expect(existsSync(at("deep/out"))).toBe(false);
      expect(readdirSync(at("")).sort()).not.toContain("x");
    },
  );

  it("refuses two files of one name, also where one of them is in a folder", async () => {
    await writeArtifact(at("lay"), "1", [
      { title: "a", content: "1" },
      { title: "./a", content: "2" },
    ]);
    expect(await refused(["pull", "-o", "out", "oci:lay:1"])).toContain("is there twice");
    await writeArtifact(at("lay"), "2", [
      { title: "d/x", content: "1" },
      folderLayer("d", [{ kind: "file", path: "d/x", content: "2" }]),
    ]);
    expect(await refused(["pull", "-o", "out", "oci:lay:2"])).toContain(
      "another layer has a file of that name",
    );
    await writeArtifact(at("lay"), "3", [
      { title: "d", content: "1" },
      { title: "d/x", content: "2" },
    ]);
    expect(await refused(["pull", "-o", "out", "oci:lay:3"])).toContain("a file has the name of its folder");
    expect(existsSync(at("out"))).toBe(false);
  });

  it.each([
    ["a name outside of it", [{ kind: "file", path: "x", content: "1" }], "is outside of it"],
    [
      "a path of more folders than a stack has room for",
      [{ kind: "file", path: `d${"/a".repeat(100_000)}`, content: "1" }],
      "has a path of 200001 bytes",
    ],
    ["a name that leads up", [{ kind: "file", path: "d/../../x", content: "1" }], "leads out of it"],
    ["a name beside it", [{ kind: "file", path: "d/../x", content: "1" }], "is outside of it"],
    ["an absolute name", [{ kind: "file", path: "/d/x", content: "1" }], "is outside of it"],
    [
      "a symlink that leads out",
      [{ kind: "symlink", path: "d/l", link: "../x" }],
      "which leads out of the folder",
    ],
    [
      "an absolute symlink",
      [{ kind: "symlink", path: "d/l", link: "/etc" }],
      "which leads out of the folder",
    ],
    [
      "symlinks that lead out together",
      [
        { kind: "symlink", path: "d/p/q", link: "../x/y" },
        { kind: "symlink", path: "d/l", link: "p/q/../../.." },
      ],
      "which leads out of the folder",
    ],
    [
      "a file behind a symlink",
      [
        { kind: "symlink", path: "d/l", link: "sub" },
        { kind: "file", path: "d/l/x", content: "1" },
      ],
      "it leads through a symlink",
    ],
    ["a hard link out", [{ kind: "hardlink", path: "d/l", link: "../x" }], "leads out of it"],
    [
      "a hard link to a file of this machine",
      [{ kind: "hardlink", path: "d/l", link: "d/../secret" }],
      "is outside of it",
    ],
    [
      "a hard link to a symlink",
      [
        { kind: "symlink", path: "d/s", link: "x" },
        { kind: "hardlink", path: "d/l", link: "d/s" },
      ],
      "which is no file of the archive",
    ],
    ["a file for the folder", [{ kind: "file", path: "d", content: "1" }], "a folder has that name too"],
  ] as const)("refuses a folder with %s", async (_what, entries, message) => {
    writeFileSync(at("secret"), "secret");
    await writeArtifact(at("lay"), "1", [
      { title: "fine", content: "1" },
      folderLayer("d", [{ kind: "dir", path: "d" }, ...entries]),
    ]);
    expect(await refused(["pull", "-o", "deep/out", "oci:lay:1"])).toContain(message);
    expect(readdirSync(at("")).sort()).toEqual(["lay", "secret"]);
  });

  it("unpacks a file over a symlink of the same archive, and hard links as one file", async () => {
    writeFileSync(at("secret"), "secret");
    await writeArtifact(at("lay"), "1", [
      folderLayer("d", [
        { kind: "symlink", path: "d/l", link: "f" },
        { kind: "file", path: "d/l", content: "file" },
        { kind: "hardlink", path: "d/again", link: "d/l" },
        { kind: "fifo", path: "d/pipe" },
        { kind: "file", path: "d/set", content: "", mode: 0o4755 },
      ]),
    ]);
    await done(["pull", "-o", "out", "oci:lay:1"]);
    expect(listing("out")).toEqual({ "d/": "", "d/again": "file", "d/l": "file", "d/set": "" });
    expect(lstatSync(at("out/d/l")).ino).toBe(lstatSync(at("out/d/again")).ino);
    expect(lstatSync(at("out/d/set")).mode & 0o7000).toBe(0);
  });

  it("unpacks folders that nobody may write into", async () => {
    await writeArtifact(at("lay"), "1", [
      folderLayer("d", [
        { kind: "dir", path: "d", mode: 0o555 },
        { kind: "dir", path: "d/e", mode: 0o555 },
        { kind: "file", path: "d/e/f", content: "1", mode: 0o444 },
      ]),
    ]);
    await done(["pull", "-o", "out", "oci:lay:1"]);
    expect(listing("out")).toEqual({ "d/": "", "d/e/": "", "d/e/f": "1" });
    expect(lstatSync(at("out/d/e")).mode & 0o777).toBe(0o555);
  });

  it("refuses an archive that is damaged, or not what it says", async () => {
    const tar = tarOf([{ kind: "file", path: "d/f", content: "x".repeat(2000) }]);
    const packed = gzipSync(tar);
    const annotations = { [UNPACK]: "true" };
    await writeArtifact(at("lay"), "cut", [{ title: "d", content: packed.subarray(0, 40), annotations }]);
    await writeArtifact(at("lay"), "text", [{ title: "d", content: "x".repeat(600), annotations }]);
    await writeArtifact(at("lay"), "other", [
      { title: "d", content: packed, annotations: { ...annotations, [UNPACKED_DIGEST]: digestOf("x") } },
    ]);
    expect(await refused(["pull", "-o", "out", "oci:lay:cut"])).toContain("its archive can't be read");
    expect(await refused(["pull", "-o", "out", "oci:lay:text"])).toContain("its archive can't be read");
    expect(await refused(["pull", "-o", "out", "oci:lay:other"])).toContain(
      `its archive unpacks to "${digestOf(tar)}"`,
    );
    expect(existsSync(at("out"))).toBe(false);
  });

  it("lets no file appear whose bytes are not what the digest says", async () => {
    await writeArtifact(at("lay"), "1", [
      { title: "a", content: "good" },
      { title: "b", content: "good too" },
    ]);
    writeFileSync(at(`lay/blobs/sha256/${digestOf("good too").slice(7)}`), "bad, too");
    expect(await refused(["pull", "-o", "out", "oci:lay:1"])).toContain("whose digest is");
    expect(existsSync(at("out"))).toBe(false);
  });

  it("writes a blob that has two names to both", async () => {
    await writeArtifact(at("lay"), "1", [
      { title: "a", content: "same" },
      { title: "b", content: "same" },
    ]);
    await done(["pull", "-o", "out", "oci:lay:1"]);
    expect(listing("out")).toEqual({ a: "same", b: "same" });
  });

  it("says what has no name, and takes it with --all", async () => {
    await writeArtifact(at("lay"), "1", [{ title: "a", content: "1" }, { content: "nameless" }]);
    const digest = digestOf("nameless");
    const { stderr } = await done(["pull", "-o", "out", "oci:lay:1"]);
    expect(stderr).toContain(`Left out, because it has no name: ${digest} (application/x, 8B)`);
    expect(listing("out")).toEqual({ a: "1" });
    await done(["pull", "-o", "all", "--all", "oci:lay:1"]);
    expect(listing("all")).toEqual({ a: "1", [digest.replace(":", "-")]: "nameless" });
    await writeArtifact(at("lay"), "2", [{ content: "nameless" }]);
    expect(await refused(["pull", "-o", "none", "oci:lay:2"])).toContain("none of its layers has a name");
    await writeArtifact(at("lay"), "3", []);
    expect((await done(["pull", "-o", "none", "oci:lay:3"])).stderr).toContain("The artifact has no files");
    expect(existsSync(at("none"))).toBe(false);
  });

  it("takes what --include says alone", async () => {
    await writeArtifact(at("lay"), "1", [
      { title: "a.json", content: "1" },
      { title: "d/b.json", content: "2" },
      { title: "../hostile", content: "3" },
    ]);
    await writeArtifact(at("lay"), "2", [
      { title: "a.json", content: "1" },
      { title: "d/b.json", content: "2" },
      { title: "d/c.txt", content: "3" },
    ]);
    await done(["pull", "-o", "names", "--include", "*.json", "oci:lay:2"]);
    expect(listing("names")).toEqual({ "a.json": "1", "d/": "", "d/b.json": "2" });
    await done(["pull", "-o", "paths", "--include", "./d/*", "--include", "a*", "oci:lay:2"]);
    expect(Object.keys(listing("paths"))).toEqual(["a.json", "d/", "d/b.json", "d/c.txt"]);
    expect(await refused(["pull", "--include", "*.xml", "oci:lay:2"])).toContain(
      "It has a.json, d/b.json, d/c.txt",
    );
    // What is hostile is not taken in part either.
    await refused(["pull", "-o", "hostile", "--include", "a.json", "oci:lay:1"]);
  });

  it("goes on with what an earlier pull left behind, and trusts none of it", async () => {
    const content = Buffer.alloc(3_000_000, "strake ");
    const hex = digestOf(content).slice(7);
    await writeArtifact(at("lay"), "1", [{ title: "big", content }]);
    for (const begin of [content.subarray(0, 2_000_000), Buffer.alloc(2_000_000, "evil")]) {
      mkdirSync(at("out/.strake-pull"), { recursive: true });
      writeFileSync(at(`out/.strake-pull/sha256-${hex}.part`), begin);
      await done(["pull", "-o", "out", "oci:lay:1"]);
      expect(readdirSync(at("out"))).toEqual(["big"]);
      expect(Buffer.compare(readFileSync(at("out/big")), content)).toBe(0);
      rmSync(at("out"), { recursive: true });
    }
  });

  it("does not use a stage that is no folder of its own", async () => {
    await writeArtifact(at("lay"), "1", [{ title: "a", content: "1" }]);
    mkdirSync(at("elsewhere"));
    mkdirSync(at("out"));
    symlinkSync("../elsewhere", at("out/.strake-pull"));
    await done(["pull", "-o", "out", "oci:lay:1"]);
    expect(readdirSync(at("out"))).toEqual([".strake-pull", "a"]);
    expect(readdirSync(at("elsewhere"))).toEqual([]);
  });

  it("tells all as JSON", async () => {
    await writeArtifact(at("lay"), "1", [folderLayer("d", [{ kind: "dir", path: "d" }]), { content: "x" }], {
      annotations: { k: "v" },
    });
    const { stdout } = await done(["pull", "-q", "--json", "-o", "out", "oci:lay:1"]);
    expect(JSON.parse(stdout)).toMatchObject({
      artifactType: "application/vnd.example",
      annotations: { k: "v" },
      files: [{ path: "out/d/", kind: "folder", mediaType: "application/x" }],
      leftOut: [{ digest: digestOf("x"), size: 1 }],
    });
  });
});
