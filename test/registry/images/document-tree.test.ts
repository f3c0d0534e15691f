import { expect, test } from "vitest";
import {
  type Descriptor,
  digestOf,
  type FetchedDocument,
  MEDIA_TYPES,
  readDocument,
} from "../../../src/oci/index.ts";
import { readTree } from "../../../src/registry/images/document-tree.ts";

const AMD64 = { os: "linux", architecture: "amd64" };
const documents = new Map<string, FetchedDocument>();
const from = {
  fetchManifest: (name: string) => {
    const found = documents.get(name);
    return found === undefined ? Promise.reject(new Error(`no ${name}`)) : Promise.resolve(found);
  },
};

function add(value: object, mediaType: string): Descriptor {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...value }));
  const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.byteLength };
  documents.set(descriptor.digest, readDocument(bytes, descriptor));
  return descriptor;
}
const manifest = (name: string): Descriptor =>
  add(
    { config: { mediaType: MEDIA_TYPES.ociConfig, digest: digestOf(name), size: name.length }, layers: [] },
    MEDIA_TYPES.ociManifest,
  );

test("what is about an image is not taken for it, though it names the image's platform", async () => {
  const image = { ...manifest("image"), platform: AMD64 };
  const about = {
    ...manifest("about"),
    platform: AMD64,
    annotations: {
      "vnd.docker.reference.type": "attestation-manifest",
      "vnd.docker.reference.digest": image.digest,
    },
  };
  const index = add({ manifests: [about, image] }, MEDIA_TYPES.ociIndex);
  const { root } = await readTree(from, index.digest, { platforms: [AMD64] });
  expect(root.descriptor.digest).toBe(image.digest);
});
