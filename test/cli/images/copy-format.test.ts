import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Descriptor,
  type Digest,
  digestOf,
  MEDIA_TYPES,
  parseReference,
} from "../../../src/oci/index.ts";
import { pushArtifact, pushImage, RegistryClient } from "../../../src/registry/index.ts";
import { putAttestedIndex, putJson } from "../../support/attested-index.ts";
import { type TinyImage, tinyImage } from "../../support/image-archives.ts";
import { startMemoryRegistry } from "../../support/memory-registry.ts";
import { MemoryBlobs } from "../../support/registry-images.ts";
import { hasRegistry, hasSkopeo, type RegistryServer, startRegistry } from "../../support/registry-server.ts";
import { runCli } from "../run-cli.ts";

function putImage(blobs: MemoryBlobs, { layers, config }: TinyImage): Descriptor {
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: blobs.put(config, MEDIA_TYPES.ociConfig),
    layers: layers.map((layer) => blobs.put(gzipSync(layer), MEDIA_TYPES.ociLayerGzip)),
    annotations: { "org.opencontainers.image.title": "tiny" },
  };
  return putJson(blobs, manifest, MEDIA_TYPES.ociManifest);
}

/** Two platforms, and an attestation as BuildKit adds it. */
function putIndex(blobs: MemoryBlobs): Descriptor {
  const images = ["amd64", "arm64"].map((architecture) => ({
    ...putImage(blobs, tinyImage(["base", architecture], architecture)),
    platform: { os: "linux", architecture },
  }));
  return putAttestedIndex(blobs, images);
}

describe.skipIf(!hasRegistry)(
  `copy --format${hasRegistry ? "" : " (skipped: docker-registry is not installed)"}`,
  () => {
    let registry: RegistryServer;
    let folder = "";
    let index: Descriptor;
    const blobs = new MemoryBlobs();

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "strake-copy-format-"));
      writeFileSync(join(folder, "policy.json"), '{"default":[{"type":"insecureAcceptAnything"}]}');
      registry = await startRegistry();
      index = putIndex(blobs);
      await using client = new RegistryClient();
      await pushImage(client, {
        source: blobs,
        root: index,
        reference: parseReference(`${registry.host}/app:1`),
      });
    });
    afterAll(async () => {
      await registry?.[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    });

    const strake = (...argv: readonly string[]) =>
      runCli(argv, { cwd: folder, env: { STRAKE_ROOT: join(folder, "store"), DOCKER_CONFIG: folder } });
    async function copied(...argv: readonly string[]): Promise<Record<string, unknown>> {
      const run = await strake("copy", "-q", "--json", ...argv);
      expect(run.code, run.stderr).toBe(0);
      return JSON.parse(run.stdout) as Record<string, unknown>;
    }
    const manifestOf = async (name: string) => {
      const run = await strake("registry", "manifest", "--raw", name);
      expect(run.code, run.stderr).toBe(0);
      return { digest: digestOf(run.stdoutBytes), document: JSON.parse(run.stdout) };
    };
    const skopeo = (...argv: readonly string[]): string =>
      execFileSync("skopeo", ["--policy", join(folder, "policy.json"), ...argv], { encoding: "utf8" });

    it("turns an index into a manifest list without moving a layer, and says what is left out", async () => {
      const run = await strake(
        "copy",
        "--json",
        "--format",
        "docker",
        `${registry.host}/app:1`,
        `${registry.host}/app:d`,
      );
      expect(run.code, run.stderr).toBe(0);
      expect(run.stderr).toContain("Docker's format has no place for annotations and attestations: left out");
      const result = JSON.parse(run.stdout);
      expect(result).toMatchObject({ copiedBytes: 0, mediaType: MEDIA_TYPES.dockerIndex });
      const list = await manifestOf(`${registry.host}/app:d`);
      expect(list.digest).toBe(result.digest);
      expect(list.document.manifests).toHaveLength(2);
      for (const entry of list.document.manifests as Descriptor[]) {
        expect(entry.mediaType).toBe(MEDIA_TYPES.dockerManifest);
        const { document, digest } = await manifestOf(`${registry.host}/app@${entry.digest}`);
        expect(digest).toBe(entry.digest);
        expect(document.mediaType).toBe(MEDIA_TYPES.dockerManifest);
        expect(document.config.mediaType).toBe(MEDIA_TYPES.dockerConfig);
        expect(document).not.toHaveProperty("annotations");
        // The image ID stays.
        expect(blobs.content.has(document.config.digest)).toBe(true);
      }
    });

    it("keeps the digest of what has the format already, and says nothing", async () => {
      const run = await strake("copy", "--format", "oci", `${registry.host}/app:1`, "oci:same:1");
      expect(run.stderr).not.toContain("warning");
      expect(run.stdout).toBe(`oci:same:1@${index.digest}\n`);
    });

    it.skipIf(!hasSkopeo)(
      `is read by skopeo, there and back${hasSkopeo ? "" : " (skipped: skopeo is not installed)"}`,
      async () => {
        await copied("--format", "docker", `${registry.host}/app:1`, `${registry.host}/sk:d`);
        await copied("--format", "oci", `${registry.host}/sk:d`, `${registry.host}/sk:o`);
        const raw = (tag: string) =>
          JSON.parse(skopeo("inspect", "--raw", "--tls-verify=false", `docker://${registry.host}/sk:${tag}`));
        expect(raw("d").mediaType).toBe(MEDIA_TYPES.dockerIndex);
        expect(raw("o").mediaType).toBe(MEDIA_TYPES.ociIndex);
        for (const tag of ["d", "o"]) {
          const layout = join(folder, `skopeo-${tag}`);
          const source = ["--src-tls-verify=false", `docker://${registry.host}/sk:${tag}`];
          skopeo("copy", "--all", "--preserve-digests", ...source, `dir:${layout}`);
          const inspected = skopeo(
            "inspect",
            "--override-arch=arm64",
            "--tls-verify=false",
            `docker://${registry.host}/sk:${tag}`,
          );
          expect(JSON.parse(inspected).Architecture).toBe("arm64");
        }
      },
    );

    it("goes between all places", async () => {
      const arm = ["--platform", "linux/arm64"];
      await copied(...arm, "--format", "docker", `${registry.host}/app:1`, "oci:places:1");
      await copied("--format", "docker", "oci:places:1", "oci-archive:places.tar:1");
      await copied("--format", "docker", "oci-archive:places.tar:1", "store:places");
      const docker = await copied("--format", "docker", "store:places", `${registry.host}/places:d`);
      expect(docker["mediaType"]).toBe(MEDIA_TYPES.dockerManifest);
      await copied("--format", "docker", "store:places", "docker-archive:places-docker.tar:places:1");
      // What comes out of such an archive has OCI's types, unless it is asked for others.
      const again = await copied(
        "--format",
        "docker",
        "docker-archive:places-docker.tar",
        `${registry.host}/places:a`,
      );
      expect(again["digest"]).toBe(docker["digest"]);
      const oci = await copied("--format", "oci", `${registry.host}/places:d`, "oci:back:1");
      const layout = JSON.parse(readFileSync(join(folder, "back/index.json"), "utf8"));
      expect(layout.manifests[0].digest).toBe(oci["digest"]);
      const inspected = JSON.parse(
        (await strake("inspect", "oci:back:1", "--platform", "linux/arm64")).stdout,
      );
      expect(inspected[0].Id).toBe(tinyImage(["base", "arm64"], "arm64").imageId);
    });

    it("refuses an artifact, zstd, referrers and an unknown format", async () => {
      await using client = new RegistryClient();
      const reference = parseReference(`${registry.host}/odd:artifact`);
      await pushArtifact(client, { reference, artifactType: "application/vnd.example.sbom", files: [] });
      const zstd = new MemoryBlobs();
      const rootfs = { type: "layers", diff_ids: [digestOf("abc")] };
      const manifest = {
        schemaVersion: 2,
        mediaType: MEDIA_TYPES.ociManifest,
        config: putJson(zstd, { architecture: "amd64", os: "linux", rootfs }, MEDIA_TYPES.ociConfig),
        layers: [zstd.put(Buffer.from("28b52ffd0458190000616263d5e5f0a6", "hex"), MEDIA_TYPES.ociLayerZstd)],
      };
      await pushImage(client, {
        source: zstd,
        root: putJson(zstd, manifest, MEDIA_TYPES.ociManifest),
        reference: parseReference(`${registry.host}/odd:zstd`),
      });
      const failing = async (...argv: readonly string[]) => {
        const run = await strake("copy", "-q", ...argv);
        expect(run).toMatchObject({ stdout: "" });
        expect(run.code).not.toBe(0);
        return run.stderr;
      };
      const target = `${registry.host}/never:1`;
      expect(await failing("--format", "docker", `${registry.host}/odd:artifact`, target)).toContain(
        'it holds "application/vnd.example.sbom", for which there is no such type',
      );
      expect(await failing("--format", "docker", `${registry.host}/odd:zstd`, target)).toContain(
        "is compressed with zstd",
      );
      expect(await failing("--recompress", `${registry.host}/odd:zstd`, target)).toContain(
        "without --format docker",
      );
      expect(await failing("--format", "docker", "--referrers", `${registry.host}/app:1`, target)).toContain(
        "Leave out --referrers or --format",
      );
      expect(await failing("--format", "v2s2", `${registry.host}/app:1`, target)).toContain(
        'Did you mean "docker"?',
      );
      expect((await strake("registry", "tags", `${registry.host}/never`)).code).not.toBe(0);
    });

    it("compresses anew what is compressed with zstd, when asked", async () => {
      await using client = new RegistryClient();
      const content = Buffer.from("abc");
      const zstd = new MemoryBlobs();
      const rootfs = { type: "layers", diff_ids: [digestOf(content)] };
      const config = putJson(zstd, { architecture: "amd64", os: "linux", rootfs }, MEDIA_TYPES.ociConfig);
      const layers = [
        zstd.put(Buffer.from("28b52ffd0458190000616263d5e5f0a6", "hex"), MEDIA_TYPES.ociLayerZstd),
        zstd.put(gzipSync("as it is"), MEDIA_TYPES.ociLayerGzip),
      ];
      const root = putJson(
        zstd,
        { schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config, layers },
        MEDIA_TYPES.ociManifest,
      );
      await pushImage(client, { source: zstd, root, reference: parseReference(`${registry.host}/zstd:1`) });
      const argv = ["--format", "docker", "--recompress", `${registry.host}/zstd:1`];
      const result = await copied(...argv, `${registry.host}/zstd:docker`);
      const { document } = await manifestOf(`${registry.host}/zstd:docker`);
      expect(document.config.digest).toBe(config.digest);
      expect(document.layers[1].digest).toBe(layers[1]?.digest);
      expect(document.layers.map(({ mediaType }: Descriptor) => mediaType)).toEqual([
        MEDIA_TYPES.dockerLayerGzip,
        MEDIA_TYPES.dockerLayerGzip,
      ]);
      const blob = await strake("registry", "blob", `${registry.host}/zstd@${document.layers[0].digest}`);
      expect(gunzipSync(blob.stdoutBytes).equals(content)).toBe(true);
      expect((await copied(...argv, "oci:zstd:1"))["digest"]).toBe(result["digest"]);
    });

    it.each([400, 415] as const)(
      "falls back to Docker's types where a registry answers %i to OCI's, with a warning",
      async (status) => {
        await using old = await startMemoryRegistry({ refusesOci: status });
        const run = await strake("copy", "--json", `${registry.host}/app:1`, `${old.host}/app:1`);
        expect(run.code, run.stderr).toBe(0);
        expect(run.stderr).toContain("it takes no OCI media types");
        const result = JSON.parse(run.stdout) as { readonly digest: Digest; readonly mediaType: string };
        expect(result.mediaType).toBe(MEDIA_TYPES.dockerIndex);
        expect((await manifestOf(`${old.host}/app:1`)).digest).toBe(result.digest);
        const asked = await copied(
          "--format",
          "docker",
          `${registry.host}/app:1`,
          `${registry.host}/app:asked`,
        );
        expect(asked["digest"]).toBe(result.digest);

        // A push has no other way, either.
        expect(
          (await strake("copy", "-q", `${registry.host}/app:1`, `store:${old.host}/pushed:1`)).code,
        ).toBe(0);
        const push = await strake("push", `${old.host}/pushed:1`);
        expect(push.stderr).toContain("it takes no OCI media types");
        expect(push.stdout).toBe(`${old.host}/pushed:1@${result.digest}\n`);
      },
    );

    it("does not fall back for a target that is named by the digest, nor for what refers to an image", async () => {
      await using old = await startMemoryRegistry({ refusesOci: 415 });
      const byDigest = await strake("copy", `${registry.host}/app:1`, `${old.host}/app@${index.digest}`);
      expect(byDigest.code).not.toBe(0);
      const withReferrers = await strake(
        "copy",
        "--referrers",
        `${registry.host}/app:1`,
        `${old.host}/app:1`,
      );
      expect(withReferrers.code).toBe(1);
      expect(withReferrers.stderr).toContain("415");
    });
  },
);
