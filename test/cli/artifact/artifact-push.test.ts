import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, lstatSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { digestOf } from "../../../src/oci/index.ts";
import { runCli } from "../run-cli.ts";
import { ArtifactFolder } from "./artifact-folder.ts";

const { at, done, listing, push, refused, text } = new ArtifactFolder();

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
    expect(await refused(["push", "oci:lay:1", "a", at("e/a")])).toContain('both would be called "a"');
    expect(await refused(["push", "oci:lay:1", "e", "e/a"])).toContain("the second is in the first");
    expect(await refused(["push", "oci:lay:1", "a", "."])).toContain("the second is in the first");
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
