import { expect, test } from "vitest";
import {
  type Descriptor,
  decodeIndex,
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

const ARM = (variant: string) => ({ os: "linux", architecture: "arm", variant });

test("of an index the image is taken that serves a platform best, as when it is run", async () => {
  const v6 = { ...manifest("v6"), platform: ARM("v6") };
  const v7 = { ...manifest("v7"), platform: ARM("v7") };
  const amd64 = { ...manifest("amd64"), platform: AMD64 };
  const index = add({ manifests: [v6, v7, amd64] }, MEDIA_TYPES.ociIndex);
  const taken = async (platform: typeof AMD64 & { variant?: string }) =>
    (await readTree(from, index.digest, { platforms: [platform] })).root.descriptor.digest;
  expect(await taken(ARM("v6"))).toBe(v6.digest);
  expect(await taken(ARM("v7"))).toBe(v7.digest);
  expect(await taken(ARM("v8"))).toBe(v7.digest);
  expect(await taken({ ...AMD64, variant: "v3" })).toBe(amd64.digest);
  await expect(taken(ARM("v5"))).rejects.toMatchObject({
    code: "NO_SUCH_PLATFORM",
    hint: "The image is there for linux/arm/v6, linux/arm/v7, linux/amd64",
  });
});

test("platforms that one image serves have it once in the smaller index", async () => {
  const v7 = { ...manifest("v7"), platform: ARM("v7") };
  const index = add({ manifests: [v7, { ...manifest("amd64"), platform: AMD64 }] }, MEDIA_TYPES.ociIndex);
  const { root } = await readTree(from, index.digest, { platforms: [ARM("v7"), ARM("v8")] });
  expect(decodeIndex(root.bytes).manifests).toEqual([v7]);
});
