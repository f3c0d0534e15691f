import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Descriptor, digestOf, MEDIA_TYPES, parseReference } from "../../../src/oci/index.ts";
import { pushArtifact, RegistryClient } from "../../../src/registry/index.ts";
import { podmanArchive, type TinyImage, tinyImage } from "../../support/image-archives.ts";
import { hasRegistry, hasSkopeo, type RegistryServer, startRegistry } from "../../support/registry-server.ts";
import { runCli } from "../run-cli.ts";

describe.skipIf(!hasRegistry)(
  `copy${hasRegistry ? "" : " (skipped: docker-registry is not installed)"}`,
  () => {
    let registry: RegistryServer;
    let other: RegistryServer;
    let folder = "";
    /** An index of two platforms' images. */
    let multi: Descriptor;
    const amd64 = tinyImage(["base", "amd"]);
    const arm64 = tinyImage(["base", "arm"], "arm64");

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "strake-copy-"));
      [registry, other] = await Promise.all([startRegistry(), startRegistry()]);
      await using client = new RegistryClient();
      const target = client.repository(parseReference(`${registry.host}/team/app`));
      const put = async (bytes: Buffer, mediaType: string): Promise<Descriptor> => {
        const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length };
        await target.writeBlob(descriptor, async () =>
          (async function* () {
            yield bytes;
          })(),
        );
        return descriptor;
      };
      const putImage = async ({ layers, config }: TinyImage): Promise<Descriptor> => {
        const manifest = {
          schemaVersion: 2,
          mediaType: MEDIA_TYPES.ociManifest,
          config: await put(config, MEDIA_TYPES.ociConfig),
          layers: await Promise.all(layers.map((layer) => put(gzipSync(layer), MEDIA_TYPES.ociLayerGzip))),
        };
        return await target.pushManifest(Buffer.from(JSON.stringify(manifest)), {
          mediaType: MEDIA_TYPES.ociManifest,
        });
      };
      const manifests = [
        { ...(await putImage(amd64)), platform: { os: "linux", architecture: "amd64" } },
        { ...(await putImage(arm64)), platform: { os: "linux", architecture: "arm64" } },
      ];
      const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests };
      for (const tag of ["1", "2"]) {
        multi = await target.pushManifest(Buffer.from(JSON.stringify(index)), {
          mediaType: MEDIA_TYPES.ociIndex,
          tag,
        });
      }
      await pushArtifact(client, {
        reference: parseReference(`${registry.host}/team/app`),
        artifactType: "application/vnd.example.sbom",
        files: [],
        subject: multi,
      });
      await pushArtifact(client, {
        reference: parseReference(`${registry.host}/team/app:${multi.digest.replace(":", "-")}.sig`),
        artifactType: "application/vnd.example.signature",
        files: [],
      });
    });
    afterAll(async () => {
      await Promise.all([registry[Symbol.asyncDispose](), other[Symbol.asyncDispose]()]);
      rmSync(folder, { recursive: true, force: true });
    });

    const strake = (...argv: readonly string[]) =>
      runCli(argv, { cwd: folder, env: { STRAKE_ROOT: join(folder, "store"), DOCKER_CONFIG: folder } });
    async function copied(...argv: readonly string[]): Promise<Record<string, unknown>> {
      const run = await strake("copy", "-q", "--json", ...argv);
      expect(run).toMatchObject({ code: 0, stderr: "" });
      return JSON.parse(run.stdout) as Record<string, unknown>;
    }
    const digestOfName = async (name: string): Promise<string> =>
      (await strake("registry", "digest", name)).stdout.trim();

    it("moves every platform between registries without touching the store", async () => {
      const result = await copied(`${registry.host}/team/app:1`, `${other.host}/mirror/app:1`);
      // Two configs and three layers: the platforms share one.
      expect(result).toMatchObject({ digest: multi.digest, blobs: { uploaded: 5, mounted: 0, present: 0 } });
      expect(await digestOfName(`${other.host}/mirror/app:1`)).toBe(multi.digest);
      const again = await copied(`${registry.host}/team/app:1`, `${other.host}/mirror/app:again`);
      expect(again).toMatchObject({ blobs: { uploaded: 0, present: 5 }, copiedBytes: 0 });
      expect(spawnSync("ls", [join(folder, "store")]).status).not.toBe(0);
    });

    it("mounts within a registry, and says so", async () => {
      const run = await strake("copy", `${registry.host}/team/app:1`, `${registry.host}/elsewhere/app:1`);
      expect(run.code).toBe(0);
      expect(run.stderr.match(/mounted from team\/app/g)).toHaveLength(5);
      expect(run.stdout).toBe(`${registry.host}/elsewhere/app:1@${multi.digest}\n`);
    });

    it("refuses a target named by another digest before it sends anything", async () => {
      const wrong = `${other.host}/wrong/app@sha256:${"0".repeat(64)}`;
      const run = await strake("copy", `${registry.host}/team/app:1`, wrong);
      expect(run.code).not.toBe(0);
      expect(run.stderr).toContain(`the image has digest "${multi.digest}"`);
      await using client = new RegistryClient();
      const target = client.repository(parseReference(`${other.host}/wrong/app`));
      for (const { config } of [amd64, arm64]) {
        const blob = { mediaType: MEDIA_TYPES.ociConfig, digest: digestOf(config), size: config.length };
        expect(await target.hasBlob(blob)).toBe(false);
      }
    });

    it("copies one platform, or some", async () => {
      const one = await copied(
        "--platform",
        "linux/arm64",
        `${registry.host}/team/app:1`,
        `${other.host}/arm/app`,
      );
      expect(one["mediaType"]).toBe(MEDIA_TYPES.ociManifest);
      const none = await strake(
        "copy",
        "--platform",
        "linux/s390x",
        `${registry.host}/team/app:1`,
        `${other.host}/z`,
      );
      expect(none).toMatchObject({ code: 1, stdout: "" });
      expect(none.stderr).toContain("linux/amd64, linux/arm64");
      const single = await strake("copy", "--platform", "linux/amd64", `${other.host}/arm/app`, "oci:wrong");
      expect(single).toMatchObject({ code: 1, stdout: "" });
      expect(single.stderr).toContain("hint: It is one image, for linux/arm64");
    });

    it("goes through a folder and an archive and comes back with its digest", async () => {
      await copied(`${registry.host}/team/app:1`, "oci:layout:1");
      await copied("oci:layout:1", "oci-archive:layout.tar:x");
      const back = await copied("oci-archive:layout.tar:x", `${other.host}/back/app:1`);
      expect(back["digest"]).toBe(multi.digest);
      expect((await copied(`${registry.host}/team/app:2`, "oci:layout:2"))["blobs"]).toMatchObject({
        uploaded: 0,
        present: 5,
      });
    });

    it.skipIf(!hasSkopeo)(
      `makes layouts that skopeo reads${hasSkopeo ? "" : " (skipped: no skopeo)"}`,
      async () => {
        await copied(`${registry.host}/team/app:1`, "oci:for-skopeo:1");
        const run = spawnSync("skopeo", ["inspect", "--raw", "oci:for-skopeo:1"], { cwd: folder });
        expect(digestOf(run.stdout)).toBe(multi.digest);
      },
    );

    it("goes into the store with all platforms, and out again", async () => {
      await copied(`${registry.host}/team/app:1`, "store:kept:1");
      const inspected = JSON.parse(
        (await strake("inspect", "--platform", "linux/arm64", "kept:1")).stdout,
      ) as unknown;
      expect(inspected).toMatchObject([
        { Id: arm64.imageId, Platforms: [{ Id: amd64.imageId }, { Id: arm64.imageId }] },
      ]);
      const out = await copied("store:kept:1", `${other.host}/out/app:1`);
      expect(out["digest"]).toBe(multi.digest);
    });

    it("compresses what docker save leaves plain, always to the same bytes", async () => {
      writeFileSync(join(folder, "plain.tar"), podmanArchive(amd64, "app:1"));
      const first = await copied("docker-archive:plain.tar", `${other.host}/plain/a:1`);
      const second = await copied("docker-archive:plain.tar:app:1", `${other.host}/plain/b:1`);
      expect(second["digest"]).toBe(first["digest"]);
      const manifest = JSON.parse(
        (await strake("registry", "manifest", `${other.host}/plain/a:1`)).stdout,
      ) as {
        config: { digest: string };
        layers: { digest: string; mediaType: string }[];
      };
      expect(manifest.config.digest).toBe(amd64.imageId);
      const blob = await strake("registry", "blob", `${other.host}/plain/a@${manifest.layers[1]?.digest}`);
      expect(gunzipSync(blob.stdoutBytes).equals(amd64.layers[1] as Buffer)).toBe(true);
    });

    it("makes a docker archive of one platform", async () => {
      await copied(
        "--platform",
        "linux/arm64",
        `${registry.host}/team/app:1`,
        "docker-archive:arm.tar:team/app:9",
      );
      const shown = await strake("inspect", "docker-archive:arm.tar");
      expect(JSON.parse(shown.stdout)).toMatchObject([
        { Id: arm64.imageId, RepoTags: ["docker.io/team/app:9"], Architecture: "arm64" },
      ]);
      const both = await strake(
        "copy",
        "--platform=linux/arm64,linux/amd64",
        `${registry.host}/team/app:1`,
        "docker-archive:both.tar",
      );
      expect(both).toMatchObject({ code: 2 });
      expect(both.stderr).toContain("a docker archive holds one");
    });

    it("takes what belongs to an image along", async () => {
      await copied("--referrers", `${registry.host}/team/app:1`, `${other.host}/signed/app:1`);
      const referrers = await strake("registry", "referrers", "--json", `${other.host}/signed/app:1`);
      expect(JSON.parse(referrers.stdout)).toMatchObject([{ artifactType: "application/vnd.example.sbom" }]);
      const tags = (await strake("registry", "tags", `${other.host}/signed/app`)).stdout;
      expect(tags).toContain(`${multi.digest.replace(":", "-")}.sig\n`);
    });

    it("copies all tags of a repository", async () => {
      const run = await strake(
        "copy",
        "-q",
        "--all-tags",
        `${registry.host}/team/app`,
        `${other.host}/all/app`,
      );
      expect(run.code).toBe(0);
      const tags = (await strake("registry", "tags", `${other.host}/all/app`)).stdout.split("\n");
      expect(tags).toEqual(expect.arrayContaining(["1", "2"]));
      expect((await strake("copy", "-a", `${registry.host}/team/app:1`, `${other.host}/all/app`)).code).toBe(
        2,
      );
      expect((await strake("copy", "-a", `${registry.host}/team/app`, "oci:x")).code).toBe(2);
    });

    it.each([
      ["oci:none", "oci:x", 'Cannot use "none": it is no OCI image layout'],
      ["docker-archive:none.tar", "oci:x", 'Cannot read "none.tar": there is no such file'],
      ["store:none", "oci:x", 'Cannot find image "none"'],
      ["dir:x", "oci:x", "strake has no dir:"],
      ["oci:", "oci:x", "it names no folder"],
      ["docker-daemon:app:1", "oci:x", "Save it with docker save"],
      ["127.0.0.1:1/app", "oci:x", "the connection was refused"],
    ])("says what is wrong with %s", async (from, to, message) => {
      const run = await strake("copy", "-q", from, to);
      expect(run.code).not.toBe(0);
      expect(run.stderr).toContain(message);
      expect(run.stderr).not.toContain("    at ");
    });

    it("writes nothing where something else is", async () => {
      writeFileSync(join(folder, "file"), "precious");
      const run = await strake("copy", `${registry.host}/team/app:1`, "oci:file");
      expect(run).toMatchObject({ code: 1 });
      const missing = await strake("copy", `${registry.host}/team/app:3`, "oci-archive:file");
      expect(missing.stderr).toMatch(/Did you mean ".*\/team\/app:[12]"\?/);
      expect(readFileSync(join(folder, "file"), "utf8")).toBe("precious");
    });
  },
);
