import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { digestOf } from "../../../src/oci/index.ts";
import {
  DockerSource,
  openDockerImage,
  readDockerManifest,
  TarFiles,
} from "../../../src/store/transports/index.ts";
import {
  newDockerArchive,
  oldDockerArchive,
  podmanArchive,
  tarOf,
  tinyImage,
} from "../../support/image-archives.ts";

const folder = mkdtempSync(join(tmpdir(), "strake-docker-archive-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
async function opened(bytes: Uint8Array): Promise<TarFiles> {
  const path = join(folder, `${count++}.tar`);
  writeFileSync(path, bytes);
  return await TarFiles.open(path, { shown: "x.tar" });
}

const image = tinyImage(["one", "two"]);

describe("openDockerImage()", () => {
  it.each([
    ["of docker save before 25", oldDockerArchive([{ image, tags: ["app:1"] }])],
    ["of podman save and skopeo", podmanArchive(image, "docker.io/library/app:1")],
    ["of docker save since 25", newDockerArchive(image, ["docker.io/library/app:1"])],
  ])("reads an archive %s", async (_, bytes) => {
    await using files = await opened(bytes);
    const found = await openDockerImage(files, "app:1");
    expect(found.imageId).toBe(image.imageId);
    expect(image.config.equals(found.configBytes)).toBe(true);
    expect(found.layers.map(({ diffId }) => diffId)).toEqual(image.layers.map((layer) => digestOf(layer)));
  });

  it("follows the links by which old archives share layers", async () => {
    const other = tinyImage(["one", "three"]);
    await using files = await opened(
      oldDockerArchive([
        { image, tags: ["app:1"] },
        { image: other, tags: ["app:2"] },
      ]),
    );
    const { layers } = await openDockerImage(files, "docker.io/library/app:2");
    expect(await files.read(layers[0]?.name ?? "", 1 << 20)).toEqual(other.layers[0]);
    expect((await openDockerImage(files, "@1")).imageId).toBe(other.imageId);
    await expect(openDockerImage(files, undefined)).rejects.toMatchObject({
      code: "IMAGE_AMBIGUOUS",
      hint: expect.stringContaining("app:1, app:2"),
    });
    await expect(openDockerImage(files, "ap:2")).rejects.toMatchObject({
      code: "NO_SUCH_IMAGE",
      hint: 'Did you mean "app:2"?',
    });
  });

  const entry = { Config: "config", RepoTags: null, Layers: ["a", "b"] };
  const layers = [
    { name: "a", content: image.layers[0] ?? "" },
    { name: "b", content: image.layers[1] ?? "" },
  ];
  const config = { name: "config", content: image.config };
  const list = (value: unknown) => ({ name: "manifest.json", content: JSON.stringify(value) });
  it.each([
    ["manifest.json that is no JSON", [{ name: "manifest.json", content: "{" }], "it is not JSON"],
    ["manifest.json that is no list", [list({})], "it is no list"],
    ["an image without config", [list([{ Layers: [] }])], 'has no "Config"'],
    ["a config that is not there", [list([entry])], 'its config "config" is not there'],
    [
      "a config that is none",
      [list([entry]), { name: "config", content: "[]" }],
      'its config "config" is none',
    ],
    ["a layer that is not there", [list([entry]), config], 'its layer "a" is not there'],
    [
      "a layer outside",
      [list([{ ...entry, Layers: ["../a", "/etc/passwd"] }]), config, ...layers],
      'its layer "../a" is not there',
    ],
    [
      "other layers than the config's",
      [list([{ ...entry, Layers: ["a"] }]), config, ...layers],
      "lists 1 layers, but its config 2",
    ],
    ["layers that are no names", [list([{ ...entry, Layers: [1] }]), config], "is no list of files"],
  ])("refuses %s", async (_, files, message) => {
    await using archive = await opened(tarOf(files));
    await expect(openDockerImage(archive, undefined)).rejects.toMatchObject({
      code: "ARCHIVE_INVALID",
      message: expect.stringContaining(message),
    });
  });

  it("says when there is nothing", async () => {
    await using empty = await opened(tarOf([list([])]));
    await expect(openDockerImage(empty, undefined)).rejects.toMatchObject({ code: "NO_IMAGE" });
    await using other = await opened(tarOf([{ name: "x", content: "" }]));
    expect(await readDockerManifest(other)).toBeUndefined();
  });
});

describe("DockerSource", () => {
  const open = async (files: TarFiles) =>
    DockerSource.open(files, await openDockerImage(files, undefined), { tempFolder: () => folder });

  it("has the image with compressed layers, always the same bytes", async () => {
    await using first = await opened(podmanArchive(image, "app:1"));
    await using second = await opened(oldDockerArchive([{ image, tags: [] }]));
    const [a, b] = [await open(first), await open(second)];
    expect(a.digest).toBe(b.digest);
    const document = await a.fetchManifest(a.digest);
    if (document.kind !== "manifest") throw new Error("a manifest");
    expect(document.manifest.config.digest).toBe(image.imageId);
    for (const [i, layer] of document.manifest.layers.entries()) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of await a.openBlob(layer)) chunks.push(chunk);
      const bytes = Buffer.concat(chunks);
      expect(digestOf(bytes)).toBe(layer.digest);
      expect(bytes.length).toBe(layer.size);
      expect(gunzipSync(bytes).equals(image.layers[i] as Buffer)).toBe(true);
    }
  });

  it("leaves a layer that is compressed already as it is", async () => {
    const blobs = image.layers.map((layer) => gzipSync(layer));
    const manifest = [{ Config: "c", RepoTags: null, Layers: ["0", "1"] }];
    await using files = await opened(
      tarOf([
        { name: "c", content: image.config },
        ...blobs.map((content, i) => ({ name: String(i), content })),
        { name: "manifest.json", content: JSON.stringify(manifest) },
      ]),
    );
    const source = await open(files);
    const document = await source.fetchManifest(source.digest);
    expect(document).toMatchObject({
      manifest: { layers: blobs.map((blob) => ({ digest: digestOf(blob) })) },
    });
  });

  it.each([
    ["a plain layer", (layer: Buffer): Buffer => layer],
    ["a compressed layer", (layer: Buffer): Buffer => gzipSync(layer)],
  ])("refuses %s that is not the one of the config", async (_, pack) => {
    const other = tinyImage(["other", "two"]);
    const manifest = [{ Config: "c", RepoTags: null, Layers: ["0", "1"] }];
    await using files = await opened(
      tarOf([
        { name: "c", content: image.config },
        ...other.layers.map((layer, i) => ({ name: String(i), content: pack(layer) })),
        { name: "manifest.json", content: JSON.stringify(manifest) },
      ]),
    );
    await expect(open(files)).rejects.toMatchObject({
      code: "ARCHIVE_INVALID",
      message: expect.stringContaining(`Cannot use layer "0" of "x.tar"`),
    });
  });
});
