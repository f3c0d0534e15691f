import { execFile, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type ByteString,
  type Descriptor,
  digestOf,
  MEDIA_TYPES,
  parseReference,
} from "../../src/oci/index.ts";
import {
  copyImage,
  fetchImageMetadata,
  pullImage,
  pushArtifact,
  pushImage,
  RegistryClient,
} from "../../src/registry/index.ts";
import {
  ArchiveFile,
  ArchiveWriter,
  FolderFiles,
  FolderWriter,
  nameAnnotations,
  OciLayout,
} from "../../src/store/transports/index.ts";
import { END_OF_ARCHIVE_BYTES, encodeHeader, paddingOf } from "../../src/tar/encode-header.ts";
import { json, MemoryBlobs } from "../support/registry-images.ts";
import { hasRegistry, type RegistryServer, startRegistry } from "../support/registry-server.ts";

const run = promisify(execFile);
const isThere = (tool: string): boolean => spawnSync(tool, ["--help"]).status === 0;
const hasCrane = isThere("crane");
const hasOras = isThere("oras");

let folder: string;
let server: RegistryServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "strake-peers-"));
  if (hasRegistry) server = await startRegistry();
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});
const reference = (name: string) => parseReference(`${server.host}/${name}`);

/** A layer that is a tar, since these tools look inside. */
function makeTar(name: string, content: Uint8Array): Buffer {
  const entry = {
    kind: "file" as const,
    path: name as ByteString,
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: content.byteLength,
    mtimeSeconds: 0,
  };
  return Buffer.concat([
    encodeHeader(entry),
    content,
    new Uint8Array(paddingOf(content.byteLength)),
    new Uint8Array(END_OF_ARCHIVE_BYTES),
  ]);
}

function makeRealImage(architecture = "amd64", blobs = new MemoryBlobs()) {
  const tars = [1000, 2_000_000].map((size, i) => makeTar(`file-${i}`, randomBytes(size)));
  const layers = tars.map((tar) => blobs.put(gzipSync(tar), MEDIA_TYPES.ociLayerGzip));
  const rootfs = { type: "layers", diff_ids: tars.map((tar) => digestOf(tar)) };
  const config = blobs.put(
    json({
      architecture,
      os: "linux",
      config: {},
      rootfs,
      history: tars.map(() => ({ created_by: "test" })),
    }),
    MEDIA_TYPES.ociConfig,
  );
  const document = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config, layers };
  return { blobs, config, layers, manifest: blobs.put(json(document), MEDIA_TYPES.ociManifest) };
}

describe.skipIf(!hasRegistry || !hasCrane)(
  "together with crane (docker-registry and crane on the PATH: `apt install crane` in Debian sid, else from github.com/google/go-containerregistry)",
  () => {
    const crane = async (...args: string[]) => (await run("crane", [...args, "--insecure"])).stdout.trim();

    test("it finds what we push valid, and reads every byte of it", async () => {
      await using client = new RegistryClient();
      const image = makeRealImage();
      await pushImage(client, { source: image.blobs, root: image.manifest, reference: reference("ours:1") });
      const name = `${server.host}/ours:1`;
      expect(await crane("validate", "--remote", name)).toContain("PASS");
      expect(await crane("digest", name)).toBe(image.manifest.digest);
      expect(digestOf(await crane("manifest", name))).toBe(image.manifest.digest);
      const layout = join(folder, "ours");
      await crane("pull", "--format=oci", name, layout);
      for (const [digest, bytes] of image.blobs.content)
        expect(Buffer.compare(await readFile(join(layout, "blobs/sha256", digest.slice(7))), bytes)).toBe(0);
    });

    test("it reads our index, and we copy it out of its layout again", async () => {
      await using client = new RegistryClient();
      const blobs = new MemoryBlobs();
      const manifests = ["amd64", "arm64"].map((architecture) => ({
        ...makeRealImage(architecture, blobs).manifest,
        platform: { os: "linux", architecture },
      }));
      const document = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests };
      const root = blobs.put(json(document), MEDIA_TYPES.ociIndex);
      await pushImage(client, { source: blobs, root, reference: reference("index:1") });
      expect(await crane("validate", "--remote", `${server.host}/index:1`)).toContain("PASS");
      const path = join(folder, "index");
      await crane("pull", "--format=oci", `${server.host}/index:1`, path);
      const layout = (await OciLayout.open(new FolderFiles(path))) as OciLayout;
      const repository = client.repository(reference("again"));
      const copied = await copyImage({
        from: layout,
        name: root.digest,
        to: repository,
        pushBlob: (blob, open, signal) => repository.pushBlob(blob, open, { signal }),
        tags: ["1"],
      });
      expect(copied.descriptor.digest).toBe(root.digest);
      expect(await crane("digest", `${server.host}/again:1`)).toBe(root.digest);
    });

    test("it pushes the layouts and docker archives that we write", async () => {
      const image = makeRealImage();
      const path = join(folder, "layout");
      await using file = await ArchiveFile.create(`${path}.tar`);
      const archive = new ArchiveWriter(file);
      const layout = await FolderWriter.open(path);
      for (const writer of [layout, archive]) {
        for (const blob of [image.config, ...image.layers, image.manifest])
          await writer.writeBlob(blob, () => image.blobs.openBlob(blob));
      }
      await layout.finish([{ ...image.manifest, annotations: nameAnnotations("1") }]);
      const docker = { config: image.config.digest, layers: image.layers.map(({ digest }) => digest) };
      await archive.finish([image.manifest], [{ ...docker, repoTags: ["example.com/app:1"] }]);
      await file.commit();
      await crane("push", path, `${server.host}/layout:1`);
      expect(await crane("digest", `${server.host}/layout:1`)).toBe(image.manifest.digest);
      expect(await crane("validate", "--tarball", `${path}.tar`)).toContain("PASS");
      await crane("push", `${path}.tar`, `${server.host}/archive:1`);
      await using client = new RegistryClient();
      const { config } = await fetchImageMetadata(client, reference("archive:1"));
      expect(config.descriptor.digest).toBe(image.config.digest);
    });

    test("we read what it makes: an image from a layer, and one that it changed", async () => {
      const tar = join(folder, "layer.tar");
      await writeFile(tar, makeTar("hello", Buffer.from("hello")));
      await crane("append", "-f", tar, "-t", `${server.host}/theirs:1`);
      await crane("mutate", `${server.host}/theirs:1`, "--label", "a=b", "-t", `${server.host}/theirs:2`);
      await using client = new RegistryClient();
      const sink = new MemoryBlobs();
      const { config } = await pullImage(client, { reference: reference("theirs:2"), sink });
      expect(config.config.config?.Labels).toEqual({ a: "b" });
      expect(config.config.rootfs.diff_ids).toEqual([digestOf(await readFile(tar))]);
    });
  },
);

describe.skipIf(!hasRegistry || !hasOras)(
  "together with oras (docker-registry and oras on the PATH: `apt install oras` in Debian sid, else from oras.land)",
  () => {
    const oras = async (...args: string[]) =>
      (await run("oras", [...args, "--plain-http"], { cwd: folder })).stdout;
    const ARTIFACT_TYPE = "application/vnd.example.note";
    const content = Buffer.from("a note\n");
    const note = { mediaType: "text/plain", digest: digestOf(content), size: content.byteLength };
    const open = async (): Promise<AsyncIterable<Uint8Array>> =>
      (async function* () {
        yield content;
      })();
    const pushNote = async (client: RegistryClient, name: string, subject?: Descriptor) =>
      await pushArtifact(client, {
        reference: reference(name),
        artifactType: ARTIFACT_TYPE,
        files: [{ title: "note.txt", descriptor: note, open }],
        subject,
      });

    test("it pulls the artifacts that we push", async () => {
      await using client = new RegistryClient();
      await pushNote(client, "artifact:1");
      await oras("pull", "-o", join(folder, "pulled"), `${server.host}/artifact:1`);
      expect(await readFile(join(folder, "pulled/note.txt"))).toEqual(content);
    });

    test("we copy the artifacts that it pushes, and it pulls the copy", async () => {
      await writeFile(join(folder, "theirs.txt"), "theirs");
      const name = `${server.host}/theirs-art:1`;
      await oras("push", "--artifact-type", ARTIFACT_TYPE, name, "theirs.txt:text/plain");
      await using client = new RegistryClient();
      const target = client.repository(reference("copied"));
      const { descriptor } = await copyImage({
        from: client.repository(reference("theirs-art:1")),
        name: "1",
        to: target,
        pushBlob: (blob, opener, signal) => target.pushBlob(blob, opener, { signal }),
        tags: ["1"],
      });
      await oras("pull", "-o", join(folder, "copied"), `${server.host}/copied@${descriptor.digest}`);
      expect(await readFile(join(folder, "copied/theirs.txt"), "utf8")).toBe("theirs");
    });

    test("each finds the referrers that the other attached, in one list", async () => {
      await using client = new RegistryClient();
      const image = makeRealImage();
      await pushImage(client, { source: image.blobs, root: image.manifest, reference: reference("about:1") });
      const ours = await pushNote(client, "about", image.manifest);
      await writeFile(join(folder, "more.txt"), "more");
      const name = `${server.host}/about:1`;
      await oras("attach", "--artifact-type", "application/vnd.example.more", name, "more.txt:text/plain");
      const listed = await client.repository(reference("about")).listReferrers(image.manifest.digest);
      expect(listed.map(({ artifactType }) => artifactType).sort()).toEqual([
        "application/vnd.example.more",
        ARTIFACT_TYPE,
      ]);
      const found = JSON.parse(await oras("discover", "--format", "json", name)) as {
        readonly referrers?: readonly { readonly digest: string }[];
        readonly manifests?: readonly { readonly digest: string }[];
      };
      const digests = (found.referrers ?? found.manifests ?? []).map(({ digest }) => digest);
      expect(digests).toHaveLength(2);
      expect(digests).toContain(ours.digest);
    });
  },
);
