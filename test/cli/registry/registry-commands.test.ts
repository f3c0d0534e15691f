import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bytesOnce } from "../../../src/oci/bytes-once.ts";
import { digestOf, MEDIA_TYPES, parseReference } from "../../../src/oci/index.ts";
import { pushArtifact, RegistryClient } from "../../../src/registry/index.ts";
import { hasRegistry, type RegistryServer, startRegistry } from "../../support/registry-server.ts";
import { runCli } from "../run-cli.ts";

describe.skipIf(!hasRegistry)(
  `the registry commands${hasRegistry ? "" : " (skipped: docker-registry is not installed)"}`,
  () => {
    let registry: RegistryServer;
    let folder = "";
    let repository = "";
    const config = Buffer.from(
      JSON.stringify({ os: "linux", architecture: "arm64", rootfs: { type: "layers", diff_ids: [] } }),
    );
    const manifest = manifestBytes("one");
    const index = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MEDIA_TYPES.ociIndex,
        manifests: [
          {
            mediaType: MEDIA_TYPES.ociManifest,
            digest: digestOf(manifest),
            size: manifest.length,
            platform: { os: "linux", architecture: "arm64" },
          },
        ],
      }),
    );

    function manifestBytes(note: string): Buffer {
      return Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: MEDIA_TYPES.ociManifest,
          config: { mediaType: MEDIA_TYPES.ociConfig, digest: digestOf(config), size: config.length },
          layers: [],
          annotations: { note },
        }),
      );
    }

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "strake-registry-commands-"));
      registry = await startRegistry();
      repository = `${registry.host}/team/app`;
      await using client = new RegistryClient();
      const target = client.repository(parseReference(repository));
      const open = async () =>
        (async function* () {
          yield config;
        })();
      await target.writeBlob(
        { mediaType: MEDIA_TYPES.ociConfig, digest: digestOf(config), size: config.length },
        open,
      );
      for (const tag of ["1.0", "1.1", "latest"])
        await target.pushManifest(manifest, { mediaType: MEDIA_TYPES.ociManifest, tag });
      await target.pushManifest(index, { mediaType: MEDIA_TYPES.ociIndex, tag: "multi" });
      await target.pushManifest(manifestBytes("two"), { mediaType: MEDIA_TYPES.ociManifest, tag: "two" });
      await pushArtifact(client, {
        reference: parseReference(repository),
        artifactType: "application/vnd.example.sbom",
        files: [],
        subject: { mediaType: MEDIA_TYPES.ociManifest, digest: digestOf(manifest), size: manifest.length },
      });
    });
    afterAll(async () => {
      await registry[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    });
    const strake = (...argv: readonly string[]) =>
      runCli(["registry", ...argv], { env: { DOCKER_CONFIG: folder } });

    it("list repositories and tags, as lines or as JSON", async () => {
      expect(await strake("ls", registry.host)).toMatchObject({ code: 0, stdout: "team/app\n", stderr: "" });
      const tags = await strake("tags", "--json", repository);
      expect(JSON.parse(tags.stdout)).toEqual(expect.arrayContaining(["1.0", "1.1", "latest", "multi"]));
      expect((await strake("tags", "-n", "2", repository)).stdout.split("\n")).toHaveLength(3);
    });

    it("show a manifest as it is, readable, and for a platform", async () => {
      expect((await strake("manifest", "--raw", `${repository}:1.0`)).stdoutBytes).toEqual(manifest);
      expect(JSON.parse((await strake("manifest", `docker://${repository}:multi`)).stdout)).toEqual(
        JSON.parse(index.toString()),
      );
      const arm = await strake("manifest", "--raw", "--platform", "linux/arm64", `${repository}:multi`);
      expect(arm.stdoutBytes).toEqual(manifest);
      const amd = await strake("manifest", "--platform", "linux/amd64", `${repository}:multi`);
      expect(amd).toMatchObject({ code: 1, stdout: "" });
      expect(amd.stderr).toContain("linux/arm64");
      const single = await strake("digest", "--platform", "linux/amd64", `${repository}:1.0`);
      expect(single).toMatchObject({ code: 1, stdout: "" });
      expect(single.stderr).toContain("It is one image, for linux/arm64");
    });

    it("show digests", async () => {
      expect((await strake("digest", repository)).stdout).toBe(`${digestOf(manifest)}\n`);
      expect((await strake("digest", "--full", `${repository}:multi`)).stdout).toBe(
        `${repository}:multi@${digestOf(index)}\n`,
      );
      const arm = await strake("digest", "--json", "--platform", "linux/arm64", `${repository}:multi`);
      expect(JSON.parse(arm.stdout)).toEqual({
        mediaType: MEDIA_TYPES.ociManifest,
        digest: digestOf(manifest),
        size: manifest.length,
      });
    });

    it("fetch a blob, verified, to standard output or a file", async () => {
      const name = `${repository}@${digestOf(config)}`;
      expect((await strake("blob", name)).stdoutBytes).toEqual(config);
      expect((await strake("blob", "-o", join(folder, "config"), name)).code).toBe(0);
      expect(readFileSync(join(folder, "config"))).toEqual(config);
      const nowhere = await strake("blob", "-o", join(folder, "no/file"), name);
      expect(nowhere.stderr).toContain("its folder does not exist");
    });

    it("list what refers to an image", async () => {
      const all = await strake("referrers", `${repository}:1.0`);
      expect(all.stdout).toMatch(/^DIGEST .*\nsha256:[0-9a-f]{64} +application\/vnd\.example\.sbom /);
      const none = await strake("referrers", "--json", "--type", "application/other", `${repository}:1.0`);
      expect(JSON.parse(none.stdout)).toEqual([]);
    });

    it("say that a registry tells no limit", async () => {
      expect((await strake("limits", repository)).stdout).toBe(`${registry.host} tells no limit\n`);
    });

    it("name the nearest tag when there is no such tag", async () => {
      for (const command of ["manifest", "digest", "referrers", "delete"]) {
        const run = await strake(command, `${repository}:latst`);
        expect(run).toMatchObject({ code: 1, stdout: "" });
        expect(run.stderr).toContain(`hint: Did you mean "${repository}:latest"?`);
      }
    });

    it("delete by digest, and say what to do where single tags can't be deleted", async () => {
      const digest = digestOf(manifestBytes("two"));
      const byTag = await strake("delete", `${repository}:two`);
      expect(byTag.code).toBe(1);
      expect(byTag.stderr).toContain(`strake registry delete ${repository}@${digest}`);
      expect(await strake("delete", `${repository}@${digest}`)).toMatchObject({
        code: 0,
        stdout: `Deleted: ${repository}@${digest}\n`,
      });
      const again = await strake("delete", `${repository}@${digest}`);
      expect(again).toMatchObject({ code: 1 });
      expect((await strake("delete", "--force", `${repository}@${digest}`)).code).toBe(0);
    });

    it("take one tag away with --untag, and leave the image and its other tags", async () => {
      await using client = new RegistryClient();
      const target = client.repository(parseReference(repository));
      const kept = { bytes: manifestBytes("kept"), mediaType: MEDIA_TYPES.ociManifest };
      for (const tag of ["stays", "goes"]) await target.pushManifest(kept.bytes, { ...kept, tag });
      expect(await strake("delete", "--untag", `${repository}:goes`)).toMatchObject({
        code: 0,
        stdout: `Deleted: ${repository}:goes\n`,
      });
      expect((await strake("digest", `${repository}:goes`)).code).toBe(1);
      expect((await strake("digest", `${repository}:stays`)).stdout.trim()).toBe(digestOf(kept.bytes));
      expect((await strake("tags", repository)).stdout.split("\n")).not.toContain("goes");
      expect((await strake("delete", "--untag", `${repository}:goes`)).code).toBe(1);
      expect((await strake("delete", "--untag", "--force", `${repository}:goes`)).code).toBe(0);
    });

    describe("with --recursive", () => {
      const here = (platform: string, bytes: Buffer) => ({
        mediaType: MEDIA_TYPES.ociManifest,
        digest: digestOf(bytes),
        size: bytes.length,
        platform: { os: "linux", architecture: platform },
      });
      const shared = manifestBytes("shared by two");
      const first = manifestBytes("only of the first");
      const second = manifestBytes("only of the second");
      const indexOf = (...manifests: readonly ReturnType<typeof here>[]) =>
        Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests }));
      const one = indexOf(here("amd64", first), here("arm64", shared));
      const two = indexOf(here("amd64", second), here("arm64", shared));
      let name = "";
      let counter = 0;

      beforeEach(async () => {
        name = `${registry.host}/deep/app${counter++}`;
        await using client = new RegistryClient();
        const target = client.repository(parseReference(name));
        await target.writeBlob(
          { mediaType: MEDIA_TYPES.ociConfig, digest: digestOf(config), size: config.length },
          async () => bytesOnce(config),
        );
        for (const bytes of [shared, first, second])
          await target.pushManifest(bytes, { mediaType: MEDIA_TYPES.ociManifest });
        await target.pushManifest(one, { mediaType: MEDIA_TYPES.ociIndex, tag: "one" });
        await target.pushManifest(two, { mediaType: MEDIA_TYPES.ociIndex, tag: "two" });
      });
      const has = async (bytes: Buffer) =>
        (await strake("manifest", `${name}@${digestOf(bytes)}`)).code === 0;
      const keptShared = () => `Kept: ${name}@${digestOf(shared)} (linux/arm64), which tag two needs\n`;

      it("an image goes with what its index lists, except what another tag needs", async () => {
        expect(await strake("delete", "--recursive", "--dry-run", `${name}:one`)).toMatchObject({
          code: 0,
          stdout: `Would delete: ${name}@${digestOf(one)}\nWould delete: ${name}@${digestOf(first)} (linux/amd64)\n`,
          stderr: keptShared(),
        });
        expect(await Promise.all([one, first, shared].map(has))).toEqual([true, true, true]);
        expect(await strake("delete", "-r", `${name}:one`)).toMatchObject({
          code: 0,
          stdout: `Deleted: ${name}@${digestOf(one)}\nDeleted: ${name}@${digestOf(first)} (linux/amd64)\n`,
          stderr: keptShared(),
        });
        expect(await Promise.all([one, first, shared, two, second].map(has))).toEqual([
          false,
          false,
          true,
          true,
          true,
        ]);
      });

      it("what two names share goes with both", async () => {
        const run = await strake("delete", "-r", `${name}:one`, `${name}@${digestOf(two)}`);
        expect(run).toMatchObject({ code: 0, stderr: "" });
        expect(run.stdout.split("\n")).toHaveLength(6);
        expect(await Promise.all([one, first, shared, two, second].map(has))).toEqual(Array(5).fill(false));
      });

      it("of an image with another tag only the tag goes", async () => {
        await using client = new RegistryClient();
        const target = client.repository(parseReference(name));
        await target.pushManifest(one, { mediaType: MEDIA_TYPES.ociIndex, tag: "uno" });
        // Named twice, it is deleted once.
        expect(await strake("delete", "-r", "--untag", `${name}:one`, `${name}:one`)).toMatchObject({
          code: 0,
          stdout: `Deleted: ${name}:one\n`,
        });
        expect((await strake("digest", `${name}:uno`)).stdout.trim()).toBe(digestOf(one));
        expect(await has(first)).toBe(true);
      });

      it("what the index of a tag lists is refused", async () => {
        const run = await strake("delete", "-r", `${name}@${digestOf(first)}`);
        expect(run.code).toBe(1);
        expect(run.stderr).toContain("the index of tag one lists it");
        expect(await has(first)).toBe(true);
      });

      it("what is not there is an error before anything is deleted, unless --force", async () => {
        const run = await strake("delete", "-r", `${name}:one`, `${name}:tow`);
        expect(run.code).toBe(1);
        expect(run.stderr).toContain(`Did you mean "${name}:two"?`);
        expect(await has(one)).toBe(true);
        expect((await strake("delete", "-r", "-f", `${name}:one`, `${name}:tow`)).code).toBe(0);
        expect(await has(one)).toBe(false);
      });
    });

    it("tell with --dry-run what they would delete", async () => {
      expect(await strake("delete", "--dry-run", `${repository}:1.1`)).toMatchObject({
        code: 0,
        stdout: `Would delete: ${repository}:1.1\n`,
      });
      expect((await strake("digest", `${repository}:1.1`)).code).toBe(0);
      expect((await strake("delete", "--dry-run", `${repository}:9.9`)).code).toBe(1);
    });

    it("leave a tag as it is where nothing can be deleted", async () => {
      await using fixed = await startRegistry({ deletion: false });
      await using client = new RegistryClient();
      const name = `${fixed.host}/app`;
      const type = "application/vnd.example.x";
      const pushed = await pushArtifact(client, {
        reference: parseReference(`${name}:1`),
        artifactType: type,
        files: [],
      });
      const run = await strake("delete", "--untag", `${name}:1`);
      expect(run.code).toBe(1);
      expect((await strake("digest", `${name}:1`)).stdout.trim()).toBe(pushed.digest);
      expect((await strake("tags", name)).stdout).toBe("1\n");
    });

    it("refuse what names nothing to act on", async () => {
      expect((await strake("delete", repository)).code).toBe(2);
      expect((await strake("blob", `${repository}:1.0`)).code).toBe(2);
      expect((await strake("tags", `${repository}:1.0`)).code).toBe(2);
      expect((await strake("tags", "-n", "many", repository)).code).toBe(2);
    });

    it("say where nothing answers", async () => {
      const run = await strake("tags", "127.0.0.1:1/app");
      expect(run).toMatchObject({ code: 1, stdout: "" });
      expect(run.stderr).toContain("the connection was refused");
    });
  },
);
