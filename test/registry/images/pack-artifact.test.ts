import { describe, expect, test } from "vitest";
import { bytesOnce } from "../../../src/oci/bytes-once.ts";
import { type Descriptor, digestOf, MEDIA_TYPES } from "../../../src/oci/index.ts";
import { type ArtifactFile, packArtifact } from "../../../src/registry/index.ts";

function file(content: string, title: string, annotations?: Readonly<Record<string, string>>): ArtifactFile {
  const bytes = Buffer.from(content);
  const descriptor = { mediaType: "text/plain", digest: digestOf(bytes), size: bytes.byteLength };
  return {
    title,
    descriptor: annotations === undefined ? descriptor : { ...descriptor, annotations },
    open: async ({ offset }) => bytesOnce(bytes.subarray(offset)),
  };
}

async function read(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe("packArtifact()", () => {
  test("makes a manifest that its source has, with every blob that it names", async () => {
    const { descriptor, source } = packArtifact({
      artifactType: "application/x",
      files: [file("one", "1.txt", { a: "b" }), file("two", "2.txt")],
    });
    const document = await source.fetchManifest(descriptor.digest);
    if (document.kind !== "manifest") throw new Error("no manifest");
    const { manifest } = document;
    expect(digestOf(document.bytes)).toBe(descriptor.digest);
    expect(manifest).toMatchObject({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest });
    expect(manifest.artifactType).toBe("application/x");
    expect(manifest.layers.map(({ annotations }) => annotations)).toEqual([
      { a: "b", "org.opencontainers.image.title": "1.txt" },
      { "org.opencontainers.image.title": "2.txt" },
    ]);
    const blobs = [manifest.config, ...manifest.layers];
    expect(await Promise.all(blobs.map(async (blob) => await read(await source.openBlob(blob))))).toEqual([
      "{}",
      "one",
      "two",
    ]);
    expect(await read(await source.openBlob(manifest.layers[0] as Descriptor, { offset: 1 }))).toBe("ne");
  });

  test("has the empty layer where there are no files", async () => {
    const { descriptor, source } = packArtifact({ artifactType: "application/x", files: [] });
    const document = await source.fetchManifest(descriptor.digest);
    expect(document.kind === "manifest" && document.manifest.layers).toEqual([
      { mediaType: MEDIA_TYPES.ociEmpty, digest: digestOf("{}"), size: 2 },
    ]);
  });

  test("names a subject by its type, digest and size alone", async () => {
    const subject = { mediaType: MEDIA_TYPES.ociIndex, digest: digestOf("x"), size: 1 };
    const { descriptor, source } = packArtifact({
      artifactType: "application/x",
      files: [],
      subject: { ...subject, annotations: { a: "b" } },
    });
    const document = await source.fetchManifest(descriptor.digest);
    expect(document.kind === "manifest" && document.manifest.subject).toEqual(subject);
  });

  test("takes its type from a config, and needs one without", () => {
    const config = file("{}", "config");
    const { descriptor } = packArtifact({ files: [], config });
    expect(descriptor.artifactType).toBe("text/plain");
    expect(() => packArtifact({ files: [file("one", "1.txt")] })).toThrow(TypeError);
  });

  test("has the same digest for the same contents", () => {
    const pack = () => packArtifact({ artifactType: "application/x", files: [file("one", "1.txt")] });
    expect(pack().descriptor).toEqual(pack().descriptor);
  });

  test("has nothing that it does not name", async () => {
    const { source } = packArtifact({ artifactType: "application/x", files: [] });
    const digest = digestOf("nothing");
    const missing = { code: "BLOB_NOT_FOUND" };
    await expect(source.openBlob({ mediaType: "", digest, size: 7 })).rejects.toMatchObject(missing);
    await expect(source.fetchManifest(digest)).rejects.toMatchObject(missing);
  });
});
