import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Descriptor,
  digestOf,
  MEDIA_TYPES,
  parsePlatform,
  parseReference,
} from "../../src/oci/index.ts";
import {
  copyImage,
  fetchImageMetadata,
  pullImage,
  pushImage,
  RegistryClient,
} from "../../src/registry/index.ts";
import { json, MemoryBlobs, makeImage, makeIndex } from "../support/registry-images.ts";
import { hasRegistry, hasSkopeo, type RegistryServer, startRegistry } from "../support/registry-server.ts";

const run = promisify(execFile);

describe.skipIf(!hasRegistry || !hasSkopeo)(
  "together with skopeo (docker-registry, skopeo installed)",
  () => {
    let folder: string;
    let server: RegistryServer;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "strake-skopeo-"));
      server = await startRegistry();
      await writeFile(join(folder, "policy.json"), '{"default":[{"type":"insecureAcceptAnything"}]}');
    });
    afterAll(async () => {
      await server?.[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    });
    const skopeo = async (...args: string[]) =>
      (await run("skopeo", ["--policy", join(folder, "policy.json"), ...args])).stdout;
    const reference = (name: string) => parseReference(`${server.host}/${name}`);

    test("it reads what we push, byte for byte", async () => {
      await using client = new RegistryClient();
      const image = makeImage({ gzip: true, layerSizes: [100, 300_000] });
      await pushImage(client, { source: image.blobs, root: image.manifest, reference: reference("ours:1") });
      const raw = await skopeo("inspect", "--raw", "--tls-verify=false", `docker://${server.host}/ours:1`);
      expect(digestOf(raw)).toBe(image.manifest.digest);
      const layout = join(folder, "ours");
      await skopeo("copy", "--src-tls-verify=false", `docker://${server.host}/ours:1`, `oci:${layout}:1`);
      for (const [digest, bytes] of image.blobs.content) {
        expect(Buffer.compare(await readFile(join(layout, "blobs/sha256", digest.slice(7))), bytes)).toBe(0);
      }
    });

    test("it reads our index", async () => {
      await using client = new RegistryClient();
      const { blobs, index } = makeIndex(["amd64", "arm64"]);
      await pushImage(client, { source: blobs, root: index, reference: reference("index:1") });
      const layout = join(folder, "index");
      await skopeo(
        "copy",
        "--all",
        "--preserve-digests",
        "--src-tls-verify=false",
        `docker://${server.host}/index:1`,
        `oci:${layout}:1`,
      );
      expect(await readFile(join(layout, "blobs/sha256", index.digest.slice(7)))).toEqual(
        Buffer.from(blobs.content.get(index.digest) ?? ""),
      );
    });

    test.each(["oci", "v2s2"])("we read what it pushes in format %s", async (format) => {
      await using client = new RegistryClient();
      const image = makeImage({ gzip: true });
      await pushImage(client, {
        source: image.blobs,
        root: image.manifest,
        reference: reference("source:1"),
      });
      const target = `docker://${server.host}/theirs:${format}`;
      await skopeo(
        "copy",
        "-f",
        format,
        "--src-tls-verify=false",
        "--dest-tls-verify=false",
        `docker://${server.host}/source:1`,
        target,
      );
      const sink = new MemoryBlobs();
      const metadata = await pullImage(client, { reference: reference(`theirs:${format}`), sink });
      expect(metadata.manifest.descriptor.mediaType).toBe(
        format === "oci" ? MEDIA_TYPES.ociManifest : MEDIA_TYPES.dockerManifest,
      );
      const diffIds = (config: typeof metadata) => config.config.config.rootfs.diff_ids;
      expect(diffIds(metadata)).toEqual(diffIds(await fetchImageMetadata(client, reference("source:1"))));
      expect(sink.content.has(metadata.config.descriptor.digest)).toBe(true);
    });

    test("zstd layers are moved as they are", async () => {
      await using client = new RegistryClient();
      const blobs = new MemoryBlobs();
      const layer = blobs.put(
        Buffer.from("28b52ffd0458190000616263d5e5f0a6", "hex"),
        MEDIA_TYPES.ociLayerZstd,
      );
      const rootfs = { type: "layers", diff_ids: [digestOf("abc")] };
      const config = blobs.put(json({ architecture: "amd64", os: "linux", rootfs }), MEDIA_TYPES.ociConfig);
      const root = blobs.put(
        json({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config, layers: [layer] }),
        MEDIA_TYPES.ociManifest,
      );
      await pushImage(client, { source: blobs, root, reference: reference("zstd:1") });
      const sink = new MemoryBlobs();
      await pullImage(client, { reference: reference("zstd:1"), sink });
      expect(sink.content.get(layer.digest)).toEqual(blobs.content.get(layer.digest));
      const inspected = await skopeo(
        "inspect",
        "--raw",
        "--tls-verify=false",
        `docker://${server.host}/zstd:1`,
      );
      expect(digestOf(inspected)).toBe(root.digest);
    });

    test("an image is copied between registries without being held", async () => {
      await using other = await startRegistry();
      await using client = new RegistryClient();
      const { blobs, index } = makeIndex(["amd64", "arm64", "riscv64"]);
      await pushImage(client, { source: blobs, root: index, reference: reference("copy:1") });
      const from = client.repository(reference("copy"));
      const to = client.repository(parseReference(`${other.host}/copied`));
      const copy = (tag: string, platforms?: readonly string[]) =>
        copyImage({
          from,
          name: "1",
          to,
          pushBlob: (descriptor, open, signal) => to.pushBlob(descriptor, open, { signal }),
          tags: [tag],
          ...(platforms === undefined ? {} : { platforms: platforms.map((text) => parsePlatform(text)) }),
        });
      expect((await copy("all")).descriptor).toEqual(index);
      const whole = (await to.fetchManifest("all")).descriptor;
      expect(whole).toEqual(index);
      const one = await copy("one", ["linux/arm64"]);
      expect(one.descriptor.mediaType).toBe(MEDIA_TYPES.ociManifest);
      const two = await copy("two", ["linux/arm64", "linux/amd64"]);
      const smaller = await to.fetchManifest(two.descriptor.digest);
      expect(
        smaller.kind === "index" &&
          smaller.index.manifests.map((entry: Descriptor) => entry.platform?.architecture),
      ).toEqual(["amd64", "arm64"]);
      await expect(copy("none", ["linux/s390x"])).rejects.toMatchObject({ code: "NO_SUCH_PLATFORM" });
      expect(
        await skopeo("inspect", "--raw", "--tls-verify=false", `docker://${other.host}/copied:one`),
      ).toContain("application/vnd.oci.image.config.v1+json");
    });

    test("an image is copied with what refers to it, and what refers to that", async () => {
      await using other = await startRegistry();
      await using client = new RegistryClient();
      const image = makeImage();
      const signature = makeImage({
        subject: image.manifest,
        artifactType: "application/sig",
        layerSizes: [10],
      });
      const note = makeImage({
        subject: signature.manifest,
        artifactType: "application/note",
        layerSizes: [11],
      });
      for (const { blobs, manifest } of [image, signature, note]) {
        const tag = manifest === image.manifest ? ":1" : "";
        await pushImage(client, { source: blobs, root: manifest, reference: reference(`signed${tag}`) });
      }
      const from = client.repository(reference("signed"));
      const to = client.repository(parseReference(`${other.host}/signed`));
      const pushBlob: Parameters<typeof copyImage>[0]["pushBlob"] = (descriptor, open, signal) =>
        to.pushBlob(descriptor, open, { signal });
      const copied = await copyImage({
        from,
        name: "1",
        to,
        pushBlob,
        tags: ["1"],
        referrersOf: (subject) => from.listReferrers(subject),
      });
      expect(copied.descriptor).toEqual(image.manifest);
      const referrersOf = async (subject: Descriptor) =>
        (await to.listReferrers(subject.digest)).map(({ digest }) => digest);
      expect(await referrersOf(image.manifest)).toEqual([signature.manifest.digest]);
      expect(await referrersOf(signature.manifest)).toEqual([note.manifest.digest]);
    });
  },
);
