import { spawnSync } from "node:child_process";
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  newDockerArchive,
  oldDockerArchive,
  podmanArchive,
  type TinyImage,
  tarOf,
  tinyImage,
} from "../../support/image-archives.ts";
import { hasSkopeo } from "../../support/registry-server.ts";
import { type CliRun, runCli } from "../run-cli.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "strake-save-load-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const image = tinyImage(["one", "two"]);

function strake(
  argv: readonly string[],
  { store = "here", stdin = "" as AsyncIterable<Uint8Array> | string } = {},
): Promise<CliRun> {
  return runCli(argv, {
    cwd: folder,
    stdin,
    env: { STRAKE_ROOT: join(folder, store), DOCKER_CONFIG: folder },
  });
}
const write = (name: string, bytes: Uint8Array): string => {
  writeFileSync(join(folder, name), bytes);
  return name;
};
async function inspect(name: string, store = "here"): Promise<Record<string, unknown>> {
  const run = await strake(["inspect", name], { store });
  expect(run).toMatchObject({ code: 0 });
  return (JSON.parse(run.stdout) as Record<string, unknown>[])[0] ?? {};
}

describe("load", () => {
  it.each([
    [
      "docker save before 25",
      oldDockerArchive([{ image, tags: ["app:1", "team/app:1"] }]),
      ["app:1", "team/app:1"],
    ],
    [
      "docker save since 25",
      newDockerArchive(image, ["docker.io/library/app:1", "docker.io/team/app:1"]),
      ["app:1", "team/app:1"],
    ],
    ["podman save", podmanArchive(image, "docker.io/library/app:1"), ["app:1"]],
    ["gzip", gzipSync(podmanArchive(image, "app:1")), ["app:1"]],
  ])("takes an archive of %s", async (_, bytes, names) => {
    const run = await strake(["load", "-q", "-i", write("x.tar", bytes)]);
    expect(run).toMatchObject({
      code: 0,
      stderr: "",
      stdout: names.map((name) => `Loaded image: ${name}\n`).join(""),
    });
    expect(await inspect("app:1")).toMatchObject({
      Id: image.imageId,
      RepoTags: names,
      Size: image.layers.reduce((sum, layer) => sum + layer.length, 0),
    });
  });

  it("reads standard input, several images, and images without a name", async () => {
    const other = tinyImage(["one", "three"]);
    write(
      "x.tar",
      oldDockerArchive([
        { image, tags: ["app:1"] },
        { image: other, tags: [] },
      ]),
    );
    const run = await strake(["load", "-q"], { stdin: createReadStream(join(folder, "x.tar")) });
    expect(run.stdout).toBe(`Loaded image: app:1\nLoaded image ID: ${other.imageId}\n`);
    expect(await inspect(other.imageId)).toMatchObject({ Id: other.imageId, RepoTags: [] });
  });

  it("prints JSON", async () => {
    const run = await strake(["load", "-q", "--json", "-i", write("x.tar", podmanArchive(image, "app:1"))]);
    expect(JSON.parse(run.stdout)).toEqual([{ name: "app:1", id: image.imageId, manifest: null }]);
  });

  it.each([
    [
      "a layer that is not the config's",
      () => podmanArchive({ ...image, layers: [...image.layers].reverse() }, "a:1"),
      "that the image's config names",
    ],
    ["an archive without an image", () => tarOf([{ name: "file", content: "x" }]), "it holds no image"],
    [
      "an archive of Docker's first years",
      () => tarOf([{ name: "repositories", content: "{}" }]),
      "Docker before 1.10 wrote it",
    ],
    ["something that is no archive", () => Buffer.from("what is this?".repeat(100)), "this is no tar"],
    ["names that lead out", () => tarOf([{ name: "../../etc/cron.d/x", content: "x" }]), "leads out of it"],
  ])("refuses %s, and keeps no name", async (_, bytes, message) => {
    const run = await strake(["load", "-q", "-i", write("x.tar", bytes())]);
    expect(run).toMatchObject({ code: 1, stdout: "" });
    expect(run.stderr).toContain(message);
    expect(run.stderr).not.toContain("    at ");
    expect((await strake(["images", "-q"])).stdout).toBe("");
  });

  it("says when there is no such file", async () => {
    const run = await strake(["load", "-i", "none.tar"]);
    expect(run).toMatchObject({ code: 1 });
    expect(run.stderr).toContain('error: Cannot read "none.tar": there is no such file');
  });
});

describe("save", () => {
  beforeEach(async () => {
    const other = tinyImage(["one", "three"]);
    write(
      "x.tar",
      oldDockerArchive([
        { image, tags: ["app:1"] },
        { image: other, tags: ["app:2"] },
      ]),
    );
    await strake(["load", "-q", "-i", "x.tar"]);
  });

  it.each(["docker-archive", "oci-archive", "oci-dir"])(
    "makes a %s that load takes as it was",
    async (format) => {
      const saved = await strake(["save", "-q", "--format", format, "-o", "saved", "app:1", "app:2"]);
      expect(saved).toMatchObject({ code: 0, stdout: "", stderr: "" });
      const loaded = await strake(["load", "-q", "-i", "saved"], { store: "there" });
      expect(loaded.stdout).toBe("Loaded image: app:1\nLoaded image: app:2\n");
      const [before, after] = [await inspect("app:1"), await inspect("app:1", "there")];
      expect(after["Id"]).toBe(image.imageId);
      expect(after["Descriptor"]).toEqual(before["Descriptor"]);
      const again = await strake(["save", "-q", "--format", format, "-o", "again", "app:1", "app:2"], {
        store: "there",
      });
      expect(again.code).toBe(0);
      expect(spawnSync("diff", ["-r", "saved", "again"], { cwd: folder }).status).toBe(0);
    },
  );

  it("writes to a pipe, but to no terminal", async () => {
    const piped = await strake(["save", "-q", "app:1"]);
    write("piped.tar", piped.stdoutBytes);
    expect((await strake(["load", "-q", "-i", "piped.tar"], { store: "there" })).stdout).toBe(
      "Loaded image: app:1\n",
    );
    const shown = await runCli(["save", "app:1"], {
      cwd: folder,
      env: { STRAKE_ROOT: join(folder, "here") },
      terminal: { columns: 80, rows: 24 },
    });
    expect(shown.code).toBe(1);
    expect(shown.stderr).toContain("Cannot write an archive to a terminal");
  });

  it("gives an image that is named by its ID no name", async () => {
    await strake(["save", "-q", "-o", "saved", image.imageId.slice(7, 19)]);
    const loaded = await strake(["load", "-q", "-i", "saved"], { store: "there" });
    expect(loaded.stdout).toBe(`Loaded image ID: ${image.imageId}\n`);
  });

  it("leaves no file behind when an image is not there", async () => {
    const run = await strake(["save", "-o", "saved", "app:1", "missing"]);
    expect(run).toMatchObject({ code: 1 });
    expect(run.stderr).toContain('Cannot find image "missing"');
    expect(spawnSync("ls", { cwd: folder, encoding: "utf8" }).stdout).not.toContain("saved");
    expect((await strake(["save", "--format", "zip", "app:1"])).code).toBe(2);
    expect((await strake(["save", "--format", "oci-dir", "app:1"])).code).toBe(2);
  });

  it.skipIf(!hasSkopeo)(
    `makes what skopeo reads, and load reads what skopeo makes${hasSkopeo ? "" : " (skipped: no skopeo)"}`,
    async () => {
      await strake(["save", "-q", "-o", "saved.tar", "app:1"]);
      const skopeo = (from: string, to: string): TinyImage["imageId"] => {
        const run = spawnSync("skopeo", ["copy", "-q", from, to], { cwd: folder, encoding: "utf8" });
        expect(run).toMatchObject({ status: 0, stderr: "" });
        return to;
      };
      skopeo("docker-archive:saved.tar:app:1", "docker-archive:by-skopeo.tar:app:3");
      skopeo("docker-archive:saved.tar", "oci-archive:by-skopeo-oci.tar:app:4");
      skopeo("docker-archive:saved.tar", "oci:by-skopeo:5");
      expect((await strake(["load", "-q", "-i", "by-skopeo.tar"], { store: "there" })).stdout).toBe(
        "Loaded image: app:3\n",
      );
      expect(await inspect("app:3", "there")).toMatchObject({ Id: image.imageId });
      expect((await strake(["load", "-q", "-i", "by-skopeo-oci.tar"], { store: "there" })).stdout).toBe(
        "Loaded image: app:4\n",
      );
      expect((await strake(["load", "-q", "-i", "by-skopeo"], { store: "there" })).stdout).toMatch(
        /^Loaded image ID: /,
      );
    },
  );
});
