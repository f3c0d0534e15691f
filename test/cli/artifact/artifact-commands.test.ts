import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { digestOf } from "../../../src/oci/index.ts";
import { UNPACK, UNPACKED_DIGEST } from "../../../src/registry/index.ts";
import { folderLayer, tarOf, writeArtifact } from "../../support/artifact-layouts.ts";
import { type CliRun, runCli } from "../run-cli.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "strake-artifact-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (path: string): string => join(folder, path);
const text = (path: string): string => readFileSync(at(path), "utf8");
async function strake(argv: readonly string[], stdin = ""): Promise<CliRun> {
  return await runCli(["artifact", ...argv], {
    cwd: folder,
    stdin,
    env: { STRAKE_ROOT: at("store"), DOCKER_CONFIG: folder },
  });
}
async function done(argv: readonly string[], stdin?: string): Promise<CliRun> {
  const run = await strake(argv, stdin);
  expect(run.stderr).not.toContain("error:");
  expect(run.code).toBe(0);
  return run;
}
async function refused(argv: readonly string[]): Promise<string> {
  const { code, stderr, stdout } = await strake(argv);
  expect(code).not.toBe(0);
  expect(stdout).toBe("");
  return stderr;
}
interface Pushed {
  readonly digest: string;
  readonly artifactType: string;
  readonly files: readonly { readonly title: string; readonly mediaType: string; readonly digest: string }[];
}
const push = async (...argv: readonly string[]): Promise<Pushed> =>
  JSON.parse((await done(["push", "-q", "--json", ...argv])).stdout);

/** Every file below a folder, with what it holds. */
function listing(path: string, below = ""): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(join(at(path), below)).sort()) {
    const inner = join(below, name);
    const host = join(at(path), inner);
    const stats = lstatSync(host);
    if (stats.isDirectory()) Object.assign(found, { [`${inner}/`]: "" }, listing(path, inner));
    else found[inner] = stats.isSymbolicLink() ? `-> ${readlinkSync(host)}` : readFileSync(host, "utf8");
  }
  return found;
}

describe("artifact push", () => {
  it("makes a layer of each file, which artifact pull makes the same file of again", async () => {
    mkdirSync(at("reports"));
    writeFileSync(at("reports/a.html"), "<p>");
    writeFileSync(at("b.bin"), "b");
    const { stdout } = await done(["push", "oci:lay:1", "reports/a.html:text/html", "b.bin"]);
    expect(stdout).toMatch(/^oci:lay:1@sha256:[0-9a-f]{64}\n$/);
    const pulled = await done(["pull", "-o", "out", "oci:lay:1"]);
    expect(pulled.stdout).toBe("out/reports/a.html\nout/b.bin\n");
    expect(listing("out")).toEqual({ "b.bin": "b", "reports/": "", "reports/a.html": "<p>" });
    const { artifactType, files } = await push("oci:lay:1", "reports/a.html:text/html", "b.bin");
    expect(artifactType).toBe("application/vnd.unknown.artifact.v1");
    expect(files.map(({ title, mediaType }) => [title, mediaType])).toEqual([
      ["reports/a.html", "text/html"],
      ["b.bin", "application/octet-stream"],
    ]);
  });

  it("packs folders, the same bytes for the same files, and pull unpacks them", async () => {
    for (const name of ["d", "elsewhere/d"]) {
      mkdirSync(at(`${name}/sub/empty`), { recursive: true });
      writeFileSync(at(`${name}/.wh.x`), "no whiteout");
      writeFileSync(at(`${name}/sub/run`), "#!");
      chmodSync(at(`${name}/sub/run`), 0o755);
      symlinkSync("sub/run", at(`${name}/link`));
    }
    const first = await push("oci:lay:1", "d");
    const second = await push("oci:lay:2", "elsewhere/d", "--title", "./d/");
    expect(second.digest).toBe(first.digest);
    expect(first.files[0]?.mediaType).toBe("application/vnd.oci.image.layer.v1.tar+gzip");
    await done(["pull", "-o", "out", "oci:lay:1"]);
    expect(listing("out")).toEqual({
      "d/": "",
      "d/.wh.x": "no whiteout",
      "d/link": "-> sub/run",
      "d/sub/": "",
      "d/sub/empty/": "",
      "d/sub/run": "#!",
    });
    expect(lstatSync(at("out/d/sub/run")).mode & 0o111).not.toBe(0);
    expect(first.digest).toBe((await push("oci:again:1", "./d/")).digest);
  });

  it("takes a whole folder as it is by the name of a dot", async () => {
    mkdirSync(at("d"));
    writeFileSync(at("d/a"), "a");
    const run = await runCli(["artifact", "push", "-q", "oci:../lay:1", "."], {
      cwd: at("d"),
      env: { STRAKE_ROOT: at("store") },
    });
    expect(run.code).toBe(0);
    await done(["pull", "-o", "out", "oci:lay:1"]);
    expect(listing("out")).toEqual({ a: "a" });
  });

  it("takes standard input, under the name that it is given", async () => {
    const { stdout } = await done(
      ["push", "--json", "oci:lay:1", "-:text/plain", "--title", "in.txt"],
      "streamed",
    );
    expect(JSON.parse(stdout).files).toMatchObject([{ title: "in.txt", mediaType: "text/plain", size: 8 }]);
    await done(["pull", "oci:lay:1"]);
    expect(text("in.txt")).toBe("streamed");
    expect(await refused(["push", "oci:lay:1", "-"])).toContain("a stream has no name to give to the file");
  });

  it("says what the artifact is with --type or --config", async () => {
    writeFileSync(at("a"), "a");
    writeFileSync(at("c.json"), '{"x":1}');
    expect((await push("oci:lay:1", "--type", "application/x", "a")).artifactType).toBe("application/x");
    const withConfig = await push("oci:lay:2", "--config", "c.json:application/vnd.c+json", "a");
    expect(withConfig.artifactType).toBe("application/vnd.c+json");
    const untyped = await push("oci:lay:3", "--config", "c.json", "a");
    expect(untyped.artifactType).toBe("application/vnd.unknown.config.v1+json");
    const empty = await push("oci:lay:4", "--config", "c.json:application/vnd.oci.empty.v1+json", "a");
    expect(empty.artifactType).toBe("application/vnd.unknown.artifact.v1");
    expect(await refused(["push", "oci:lay:5", "--type", "sbom", "a"])).toContain("it is no media type");
  });

  it("annotates the manifest, the config and files", async () => {
    writeFileSync(at("a"), "a");
    writeFileSync(
      at("notes.json"),
      JSON.stringify({ $manifest: { k: "file", m: "1" }, $config: { c: "2" }, a: { f: "3" } }),
    );
    const flags = ["--annotation", "k=flag=x", "--annotation-file", "notes.json", "--config", "a:text/plain"];
    const { digest } = await push("oci:lay:1", ...flags, "a");
    const manifest = JSON.parse(text(`lay/blobs/sha256/${digest.slice(7)}`));
    expect(manifest.annotations).toEqual({ k: "flag=x", m: "1" });
    expect(manifest.config.annotations).toEqual({ c: "2" });
    expect(manifest.layers[0].annotations).toEqual({ f: "3", "org.opencontainers.image.title": "a" });
    expect(await refused(["push", "oci:lay:1", "--annotation-file", "notes.json", "a"])).toContain(
      'Cannot annotate "$config": there is none',
    );
    writeFileSync(at("notes.json"), JSON.stringify({ b: {} }));
    expect(await refused(["push", "oci:lay:1", "--annotation-file", "notes.json", "a"])).toContain(
      'Cannot annotate "b": it is not among the files',
    );
    for (const wrong of ["{", "[]", '{"a": 1}', '{"a": {"b": 1}}']) {
      writeFileSync(at("notes.json"), wrong);
      expect(await refused(["push", "oci:lay:1", "--annotation-file", "notes.json", "a"])).toContain(
        'Cannot use --annotation-file "notes.json"',
      );
    }
    expect(await refused(["push", "oci:lay:1", "--annotation", "k", "a"])).toContain("it is no KEY=VALUE");
  });

  it("writes an archive of a layout, which pull and copy read", async () => {
    writeFileSync(at("a"), "a");
    const { digest } = await push("oci-archive:a.tar:1", "a");
    expect((await push("oci:lay:1", "a")).digest).toBe(digest);
    await done(["pull", "-o", "out", "oci-archive:a.tar"]);
    expect(listing("out")).toEqual({ a: "a" });
  });

  it("leaves out of a folder what is no file, by refusing it", async () => {
    mkdirSync(at("d/sub"), { recursive: true });
    spawnSync("mkfifo", [at("d/sub/pipe")]);
    expect(await refused(["push", "oci:lay:1", "d"])).toContain(
      'Cannot pack "d/sub/pipe": it is no file, folder or symlink',
    );
    expect(existsSync(at("lay"))).toBe(false);
  });

  it("refuses what no puller would take, before anything is sent", async () => {
    mkdirSync(at("d/sub"), { recursive: true });
    mkdirSync(at("e"));
    writeFileSync(at("e/a"), "");
    writeFileSync(at("a"), "");
    symlinkSync("../../a", at("d/sub/up"));
    expect(await refused(["push", "oci:lay:1", "d"])).toContain(
      'Cannot pack "d/sub/up": it is a symlink to "../../a", which leads out of the folder',
    );
    expect(await refused(["push", "oci:lay:1", "a", join(folder, "e/a")])).toContain(
      'both would be called "a"',
    );
    expect(await refused(["push", "oci:lay:1", "gone"])).toContain(
      'Cannot push "gone": there is no such file',
    );
    expect(await refused(["push", "oci:lay:1"])).toContain('Cannot push nothing to "oci:lay:1"');
    expect(await refused(["push", "oci:lay:1", "a", "e", "--title", "x"])).toContain(
      "--title is for one file alone",
    );
    expect(await refused(["push", "oci:lay:1", "a", "--title", "../x"])).toContain(
      "no puller would write there",
    );
    expect(await refused(["push", "oci:lay:1", "a", "--title", "/x"])).toContain(
      "no puller would write there",
    );
    expect(await refused(["push", "store:lay", "a"])).toContain("the store holds images alone");
    expect(await refused(["push", `r.example.com/x@${digestOf("x")}`, "a"])).toContain(
      "a digest comes of what is pushed",
    );
    expect(existsSync(at("lay"))).toBe(false);
  });
});

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
      expect(readdirSync(folder).sort()).not.toContain("x");
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
    expect(await refused(["pull", "-o", "out", "oci:lay:1"])).toContain(message);
    expect(readdirSync(folder).sort()).toEqual(["lay", "secret"]);
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

describe("artifact attach", () => {
  it("adds to a layout what is about an image of it, which copy --referrers takes along", async () => {
    writeFileSync(at("sbom.json"), "{}");
    const image = await push("oci:lay:1", "sbom.json");
    const attached = JSON.parse(
      (await done(["attach", "-q", "--json", "--type", "application/spdx+json", "oci:lay:1", "sbom.json"]))
        .stdout,
    ) as Pushed;
    expect(attached.artifactType).toBe("application/spdx+json");
    const manifest = JSON.parse(text(`lay/blobs/sha256/${attached.digest.slice(7)}`));
    expect(manifest.subject.digest).toBe(image.digest);
    const run = await runCli(["copy", "-q", "--referrers", "oci:lay:1", "oci:copy:1"], { cwd: folder });
    expect(run.code).toBe(0);
    expect(existsSync(at(`copy/blobs/sha256/${attached.digest.slice(7)}`))).toBe(true);
    await done(["pull", "-o", "out", `oci:lay:${attached.digest}`]);
    expect(listing("out")).toEqual({ "sbom.json": "{}" });
  });

  it("is found by its type with pull --attached", async () => {
    writeFileSync(at("a"), "a");
    writeFileSync(at("b"), "b");
    await push("oci:lay:1", "a");
    await done(["attach", "--type", "a/one", "oci:lay:1", "b"]);
    await done(["attach", "--type", "a/two", "oci:lay:1", "a"]);
    await done(["attach", "--type", "a/two", "oci:lay:1", "b"]);
    await done(["pull", "-o", "out", "--attached", "a/one", "oci:lay:1"]);
    expect(listing("out")).toEqual({ b: "b" });
    expect(await refused(["pull", "-o", "out", "--attached", "a/two", "oci:lay:1"])).toContain(
      'Cannot choose between 2 artifacts of type "a/two" attached to "oci:lay:1"',
    );
    expect(await refused(["pull", "-o", "out", "--attached", "a/three", "oci:lay:1"])).toContain(
      "There is a/one, a/two",
    );
  });

  it("is idempotent", async () => {
    writeFileSync(at("a"), "a");
    await push("oci:lay:1", "a");
    for (let i = 0; i < 2; i++) await done(["attach", "--type", "a/b", "oci:lay:1", "a"]);
    expect(JSON.parse(text("lay/index.json")).manifests).toHaveLength(2);
  });

  it("asks for a type, an image that is there, and something to attach", async () => {
    writeFileSync(at("a"), "a");
    await push("oci:lay:1", "a");
    expect(await refused(["attach", "oci:lay:1", "a"])).toContain("Cannot attach files of no type");
    expect(await refused(["attach", "--type", "a/b", "oci:lay:2", "a"])).toContain(
      'Cannot find "2" in "lay"',
    );
    expect(await refused(["attach", "--type", "a/b", "oci:lay:1"])).toContain(
      'Cannot attach nothing to "oci:lay:1"',
    );
    expect(await refused(["attach", "--type", "a/b", "oci-archive:x.tar", "a"])).toContain(
      "an archive is written anew",
    );
  });
});
