import { describe, expect, test } from "vitest";
import {
  type Descriptor,
  hostPlatform,
  type ManifestSource,
  MEDIA_TYPES,
  readDocument,
} from "../../../src/oci/index.ts";
import { fetchArtifact, packArtifact } from "../../../src/registry/index.ts";
import { json, MemoryBlobs } from "../../support/registry-images.ts";

const blobs = new MemoryBlobs();
const from: ManifestSource = {
  fetchManifest: async (digest) =>
    readDocument(blobs.content.get(digest as Descriptor["digest"]) as Uint8Array, {
      mediaType: "",
      digest: digest as Descriptor["digest"],
    }),
};
async function artifact(type: string): Promise<Descriptor> {
  const { descriptor, source } = packArtifact({ artifactType: type, files: [] });
  return blobs.put((await source.fetchManifest(descriptor.digest)).bytes, MEDIA_TYPES.ociManifest);
}
const index = (...manifests: readonly Descriptor[]): string =>
  blobs.put(json({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests }), MEDIA_TYPES.ociIndex)
    .digest;
const typeOf = async (name: string, platform?: { readonly os: string; readonly architecture: string }) =>
  (await fetchArtifact(from, name, { platform })).manifest.artifactType;

describe("fetchArtifact()", () => {
  test("takes a single artifact as it is, whatever the platform", async () => {
    const { digest } = await artifact("a/one");
    expect(await typeOf(digest)).toBe("a/one");
    expect(await typeOf(digest, { os: "plan9", architecture: "mips" })).toBe("a/one");
  });

  test("chooses from an index by platform, this machine's where none is given", async () => {
    const here = { ...(await artifact("a/here")), platform: hostPlatform() };
    const there = { ...(await artifact("a/there")), platform: { os: "plan9", architecture: "mips" } };
    const name = index(there, here);
    expect(await typeOf(name)).toBe("a/here");
    expect(await typeOf(name, { os: "plan9", architecture: "mips" })).toBe("a/there");
    expect(await typeOf(index({ ...(await artifact("x/y")), mediaType: MEDIA_TYPES.ociManifest }))).toBe(
      "x/y",
    );
    await expect(typeOf(name, { os: "linux", architecture: "s390x" })).rejects.toMatchObject({
      code: "NO_SUCH_PLATFORM",
    });
  });

  test("asks for a digest where an index does not say which", async () => {
    const [one, two] = [await artifact("a/1"), await artifact("a/2")];
    await expect(typeOf(index(one, two))).rejects.toMatchObject({
      code: "DOCUMENT_INVALID",
      hint: `Name one: @${one.digest}, @${two.digest}`,
    });
    await expect(typeOf(index())).rejects.toMatchObject({ code: "DOCUMENT_INVALID" });
  });

  test("gives up on indexes in indexes", async () => {
    let name = (await artifact("a/deep")).digest as string;
    for (let i = 0; i < 6; i++)
      name = index({ mediaType: MEDIA_TYPES.ociIndex, digest: name as Descriptor["digest"], size: 500 + i });
    await expect(typeOf(name)).rejects.toMatchObject({ code: "DOCUMENT_INVALID" });
  });
});
