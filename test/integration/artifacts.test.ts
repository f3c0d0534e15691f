import { execFile, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
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
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Descriptor, digestOf, MEDIA_TYPES, parseReference } from "../../src/oci/index.ts";
import { RegistryClient } from "../../src/registry/index.ts";
import { type CliRun, runCli } from "../cli/run-cli.ts";
import { json, makeImage } from "../support/registry-images.ts";
import { hasRegistry, type RegistryServer, startRegistry } from "../support/registry-server.ts";

const run = promisify(execFile);
const hasOras = spawnSync("oras", ["--help"]).status === 0;

let folder = "";
let server: RegistryServer;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "strake-artifacts-"));
  if (hasRegistry) server = await startRegistry({ deletion: true });
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const at = (path: string): string => join(folder, path);
const named = (name: string): string => `${server.host}/${name}`;
async function strake(...argv: readonly string[]): Promise<CliRun> {
  const result = await runCli(argv, {
    cwd: folder,
    env: { STRAKE_ROOT: at("store"), DOCKER_CONFIG: folder },
  });
  expect(result.stderr).not.toContain("error:");
  expect(result.code).toBe(0);
  return result;
}
const printed = async (...argv: readonly string[]): Promise<Record<string, unknown>> =>
  JSON.parse((await strake(...argv, "-q", "--json")).stdout);

function listing(path: string): readonly string[] {
  return readdirSync(at(path), { recursive: true, encoding: "utf8" })
    .sort()
    .map((name) => {
      const host = join(at(path), name);
      const stats = lstatSync(host);
      if (stats.isDirectory()) return `${name}/`;
      if (stats.isSymbolicLink()) return `${name} -> ${readlinkSync(host)}`;
      return `${name} ${(stats.mode & 0o111) === 0 ? "-" : "x"} ${digestOf(readFileSync(host))}`;
    });
}

/** A folder with what folders have in them, and a file of several chunks beside it. */
function makeFiles(name: string): void {
  mkdirSync(at(`${name}/tree/bin/empty`), { recursive: true });
  writeFileSync(at(`${name}/tree/bin/run`), "#!/bin/sh\n");
  chmodSync(at(`${name}/tree/bin/run`), 0o755);
  writeFileSync(at(`${name}/tree/größe`), "ü");
  symlinkSync("bin/run", at(`${name}/tree/link`));
  writeFileSync(at(`${name}/big`), randomBytes(5_000_000));
}

async function pushIndex(name: string): Promise<{ readonly index: Descriptor; readonly arm: Descriptor }> {
  await using client = new RegistryClient();
  const repository = client.repository(parseReference(named(name)));
  const manifests = [];
  for (const architecture of ["amd64", "arm64"]) {
    const { blobs, manifest, config, layers } = makeImage({ architecture });
    for (const blob of [config, ...layers]) await repository.writeBlob(blob, () => blobs.openBlob(blob));
    const bytes = blobs.content.get(manifest.digest) as Uint8Array;
    await repository.pushManifest(bytes, { mediaType: manifest.mediaType });
    manifests.push({ ...manifest, platform: { os: "linux", architecture } });
  }
  const bytes = json({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests });
  const index = await repository.pushManifest(bytes, { mediaType: MEDIA_TYPES.ociIndex, tag: "1" });
  return { index, arm: manifests[1] as Descriptor };
}

describe.skipIf(!hasRegistry)(
  `artifacts in a registry${hasRegistry ? "" : " (skipped: docker-registry is not installed)"}`,
  () => {
    it("files and folders come back as they were, and a second push sends nothing", async () => {
      makeFiles("one");
      const first = await printed("artifact", "push", named("files:1"), "one/tree", "one/big");
      expect(first).toMatchObject({ blobs: { uploaded: 3, present: 0 } });
      await strake("artifact", "pull", "-o", "back", named("files:1"));
      expect(listing("back/one")).toEqual(listing("one"));
      const second = await printed("artifact", "push", named("files:2"), "one/tree", "one/big");
      expect(second).toMatchObject({ digest: first["digest"], uploadedBytes: 0, blobs: { uploaded: 0 } });
    });

    it("what is attached to an image is listed, pulled, copied along and deleted", async () => {
      writeFileSync(at("sbom.json"), '{"sbom":true}');
      const { index, arm } = await pushIndex("app");
      const type = "application/spdx+json";
      const whole = await printed("artifact", "attach", "--type", type, named("app:1"), `sbom.json:${type}`);
      const one = await printed(
        "artifact",
        "attach",
        "--type",
        "a/b",
        "--platform",
        "linux/arm64",
        named("app:1"),
        "sbom.json",
      );
      const listed = async (name: string) =>
        JSON.parse((await strake("registry", "referrers", "--json", name)).stdout) as readonly Descriptor[];
      expect(await listed(named("app:1"))).toMatchObject([{ digest: whole["digest"], artifactType: type }]);
      expect(await listed(named(`app@${arm.digest}`))).toMatchObject([{ digest: one["digest"] }]);

      const ofArm = await strake("registry", "referrers", "--platform", "linux/arm64", named("app:1"));
      expect(ofArm.stdout).toContain(one["digest"]);
      expect(ofArm.stdout).not.toContain(whole["digest"]);

      await strake("artifact", "pull", "-o", "found", named(`app@${whole["digest"]}`));
      expect(readFileSync(at("found/sbom.json"), "utf8")).toBe('{"sbom":true}');

      await strake("artifact", "pull", "-o", "by-type", "--attached", type, named("app:1"));
      await strake(
        "artifact",
        "pull",
        "-o",
        "by-platform",
        "--attached",
        "a/b",
        "--platform",
        "linux/arm64",
        named("app:1"),
      );
      for (const path of ["by-type", "by-platform"]) expect(readdirSync(at(path))).toEqual(["sbom.json"]);

      await strake("copy", "-q", "--referrers", named("app:1"), "oci:layout");
      await strake("copy", "-q", "--referrers", "oci:layout", named("elsewhere:1"));
      expect(await listed(named(`elsewhere@${index.digest}`))).toMatchObject([{ digest: whole["digest"] }]);
      expect(await listed(named(`elsewhere@${arm.digest}`))).toMatchObject([{ digest: one["digest"] }]);

      await strake("registry", "delete", named(`app@${whole["digest"]}`));
      expect(await listed(named("app:1"))).toEqual([]);
      expect(await listed(named(`app@${arm.digest}`))).toHaveLength(1);
    });

    it("a copy of an artifact is the artifact, whatever the platform", async () => {
      writeFileSync(at("note"), "note");
      const { digest } = await printed("artifact", "push", named("note:1"), "note");
      for (const target of [named("note:2"), "oci:notes:1", "oci-archive:notes.tar:1"]) {
        const copied = await printed("copy", "--platform", "linux/riscv64", named("note:1"), target);
        expect(copied["digest"]).toBe(digest);
        await strake("artifact", "pull", "-o", `from-${target.slice(0, 5)}${target.length}`, target);
      }
      const refused = await runCli(["copy", "-q", named("note:1"), "docker-archive:note.tar"], {
        cwd: folder,
      });
      expect(refused.stderr).toContain("it is no image");
      expect(readdirSync(folder)).not.toContain("note.tar");
    });

    it("a missing tag is told of with the nearest that is there", async () => {
      writeFileSync(at("note"), "note");
      await strake("artifact", "push", named("near:v1.0"), "note");
      const { code, stderr } = await runCli(["artifact", "pull", named("near:v1.1")], { cwd: folder });
      expect(code).not.toBe(0);
      expect(stderr).toContain(`Did you mean "${named("near:v1.0")}"?`);
    });
  },
);

describe.skipIf(!hasRegistry || !hasOras)(
  "artifacts together with oras (docker-registry and oras on the PATH: `apt install oras` in Debian sid, else from oras.land)",
  () => {
    const oras = async (cwd: string, ...args: readonly string[]): Promise<string> =>
      (await run("oras", args, { cwd: at(cwd) })).stdout;

    it("it pulls what we push, and we what it pushes: files, folders, the folder itself", async () => {
      makeFiles("two");
      await strake("artifact", "push", named("ours:1"), "two/tree", "two/big:application/x");
      await oras("", "pull", "--plain-http", "-o", "theirs-pulled", named("ours:1"));
      expect(listing("theirs-pulled/two")).toEqual(listing("two"));

      await oras("two", "push", "--plain-http", named("theirs:1"), "tree", "big:application/x");
      await strake("artifact", "pull", "-o", "ours-pulled", named("theirs:1"));
      expect(listing("ours-pulled")).toEqual(listing("two"));

      await oras("two", "push", "--plain-http", named("theirs:2"), ".");
      await strake("artifact", "pull", "-o", "ours-pulled-too", named("theirs:2"));
      expect(listing("ours-pulled-too")).toEqual(listing("two"));
    });

    it("each finds in a layout what the other attached there", async () => {
      writeFileSync(at("note"), "note");
      await strake("artifact", "push", "oci:shared:1", "note");
      await strake("artifact", "attach", "--type", "a/ours", "oci:shared:1", "note");
      await oras("", "attach", "--oci-layout", "--artifact-type", "a/theirs", "shared:1", "note");
      const tree = await oras("", "discover", "--oci-layout", "shared:1");
      expect(tree).toContain("a/ours");
      expect(tree).toContain("a/theirs");
      await strake("copy", "-q", "--referrers", "oci:shared:1", named("shared:1"));
      const { stdout } = await strake("registry", "referrers", named("shared:1"));
      expect(stdout).toContain("a/ours");
      expect(stdout).toContain("a/theirs");
    });
  },
);
