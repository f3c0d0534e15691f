import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EditedImage, type EditedTree, editTree, type TreeEdit } from "../../../src/builder/edit/index.ts";
import {
  type Descriptor,
  digestOf,
  type ManifestSource,
  MEDIA_TYPES,
  parsePlatform,
  readDocument,
} from "../../../src/oci/index.ts";
import { readTree } from "../../../src/registry/index.ts";
import { collect } from "../../support/collect.ts";
import { json, MemoryBlobs } from "../../support/registry-images.ts";

const NOTHING: TreeEdit = {
  config: [],
  layers: [],
  annotations: [],
  removedAnnotations: [],
  created: undefined,
  platform: undefined,
  platforms: undefined,
  rebase: undefined,
};
const DIFF_ID = digestOf("layer");
const { signal } = new AbortController();

function putImage(blobs: MemoryBlobs, architecture: string, more: object = {}): Descriptor {
  const rootfs = { type: "layers", diff_ids: [DIFF_ID] };
  const config = blobs.put(json({ ...more, os: "linux", architecture, rootfs }), MEDIA_TYPES.ociConfig);
  const layers = [blobs.put(Buffer.from("layer"), MEDIA_TYPES.ociLayerGzip)];
  return blobs.put(
    json({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config, layers }),
    MEDIA_TYPES.ociManifest,
  );
}
function putIndex(blobs: MemoryBlobs, manifests: readonly Descriptor[]): Descriptor {
  return blobs.put(
    json({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests }),
    MEDIA_TYPES.ociIndex,
  );
}
const documentsOf = (blobs: MemoryBlobs): ManifestSource => ({
  fetchManifest: async (name) => {
    const digest = name as Descriptor["digest"];
    return readDocument(blobs.content.get(digest) ?? new Uint8Array(), { mediaType: "", digest });
  },
});
async function edit(blobs: MemoryBlobs, root: Descriptor, changes: Partial<TreeEdit>): Promise<EditedTree> {
  const tree = await readTree(documentsOf(blobs), root.digest, { signal });
  return await editTree(tree, blobs, { ...NOTHING, ...changes }, { signal });
}

describe("editTree()", () => {
  it("keeps every byte of whatever an edit does not change", async () => {
    const unknown = fc.dictionary(fc.stringMatching(/^[a-z]{2,6}$/), fc.jsonValue());
    const edits = fc.subarray([
      { kind: "remove-label", name: "not there" },
      { kind: "remove-env", name: "NOT_THERE" },
      { kind: "remove-port", name: "1/udp" },
    ] as const);
    await fc.assert(
      fc.asyncProperty(unknown, unknown, edits, async (top, config, removals) => {
        const blobs = new MemoryBlobs();
        // What has a meaning has to have its shape.
        const known = /^(?:created|author|variant|history|config|rootfs|os|architecture)$/;
        const members = Object.fromEntries(Object.entries(top).filter(([name]) => !known.test(name)));
        const root = putIndex(blobs, [
          putImage(blobs, "amd64", { ...members, config }),
          putImage(blobs, "arm64", members),
        ]);
        const edited = await edit(blobs, root, { config: removals });
        expect(edited.tree.root.descriptor.digest).toBe(root.digest);
      }),
    );
  });

  it("edits images of indexes within indexes, and nothing that is no image", async () => {
    const blobs = new MemoryBlobs();
    const artifact = blobs.put(
      json({
        schemaVersion: 2,
        mediaType: MEDIA_TYPES.ociManifest,
        artifactType: "application/vnd.example",
        config: blobs.put(json({}), MEDIA_TYPES.ociEmpty),
        layers: [],
      }),
      MEDIA_TYPES.ociManifest,
    );
    const inner = putIndex(blobs, [putImage(blobs, "amd64"), artifact]);
    const root = putIndex(blobs, [inner, putImage(blobs, "arm64")]);
    const edited = await edit(blobs, root, {
      config: [{ kind: "user", value: "x" }],
      annotations: [{ key: "a", value: "b" }],
    });
    expect(edited.changes).toHaveLength(2);
    const [index] = edited.tree.indexes;
    expect(index?.index.manifests.map(({ digest }) => digest)).toEqual([
      edited.changes[0]?.after.descriptor.digest,
      artifact.digest,
    ]);
    expect(edited.tree.root.kind === "index" && edited.tree.root.index.manifests[0]?.digest).toBe(
      index?.descriptor.digest,
    );
    await expect(edit(blobs, artifact, { created: "2020-01-01T00:00:00Z" })).rejects.toMatchObject({
      code: "UNSUPPORTED",
    });
  });

  it("gives everything to be copied: new documents, new configs, old blobs", async () => {
    const blobs = new MemoryBlobs();
    const edited = await edit(blobs, putIndex(blobs, [putImage(blobs, "amd64"), putImage(blobs, "arm64")]), {
      config: [{ kind: "label", name: "__proto__", value: "x" }],
    });
    const image = new EditedImage(edited, blobs, new Map());
    const tree = await readTree(image, edited.tree.root.descriptor.digest, { signal });
    for (const { manifest, bytes, descriptor } of tree.manifests) {
      expect(digestOf(bytes)).toBe(descriptor.digest);
      for (const blob of [manifest.config, ...manifest.layers]) {
        const content = await collect(await image.openBlob(blob));
        expect(digestOf(content)).toBe(blob.digest);
        expect(content.byteLength).toBe(blob.size);
      }
      const config = await collect(await image.openBlob(manifest.config, { offset: 0 }));
      expect(config.toString()).toContain('"Labels":{"__proto__":"x"}');
    }
    await expect(image.fetchManifest(DIFF_ID)).rejects.toMatchObject({ code: "BLOB_NOT_FOUND" });
  });

  it("names the platforms that there are", async () => {
    const blobs = new MemoryBlobs();
    const root = putIndex(blobs, [putImage(blobs, "amd64"), putImage(blobs, "arm64")]);
    await expect(edit(blobs, root, { platforms: [parsePlatform("linux/s390x")] })).rejects.toMatchObject({
      code: "NO_SUCH_PLATFORM",
      hint: "The image is there for linux/amd64, linux/arm64",
    });
  });
});
