import { describe, expect, test } from "vitest";
import {
  computeChainIds,
  type Descriptor,
  decodeImageConfig,
  decodeIndex,
  decodeManifest,
  decodeManifestDocument,
  digestOf,
  MEDIA_TYPES,
  verifyBlob,
  verifyBytes,
} from "../../src/oci/index.ts";

const DIGEST = digestOf("x");
const BLOB = { mediaType: MEDIA_TYPES.ociLayerGzip, digest: DIGEST, size: 3 };
const MANIFEST = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config: BLOB, layers: [BLOB] };

describe("decodeManifest()", () => {
  test("keeps members it does not know", () => {
    const layer = { ...BLOB, urls: ["https://x"], "com.example": 1 };
    expect(decodeManifest(json({ ...MANIFEST, layers: [layer], extra: { a: 1 } }))).toEqual({
      ...MANIFEST,
      layers: [layer],
      extra: { a: 1 },
    });
  });

  test("reads null as not there", () => {
    const manifest = decodeManifest(json({ ...MANIFEST, layers: null, annotations: null, subject: null }));
    expect(manifest).toEqual({ ...MANIFEST, layers: [] });
  });

  test.each<[string, unknown, string]>([
    ["a negative size", { ...MANIFEST, layers: [BLOB, { ...BLOB, size: -1 }] }, '"layers[1].size"'],
    ["an unsafe size", { ...MANIFEST, layers: [{ ...BLOB, size: 2 ** 60 }] }, '"layers[0].size"'],
    ["a bad digest", { ...MANIFEST, config: { ...BLOB, digest: "sha256:ABC" } }, '"config.digest"'],
    ["a missing config", { ...MANIFEST, config: undefined }, '"config" is missing'],
    ["another version", { ...MANIFEST, schemaVersion: 3 }, '"schemaVersion" is 3'],
    ["schema 1", { schemaVersion: 1, fsLayers: [] }, "schema 1"],
    ["a list", [], "the document"],
    ["layers that are none", { ...MANIFEST, layers: {} }, '"layers" is object, not a list'],
    ["annotations that are none", { ...MANIFEST, annotations: { a: 1 } }, '"annotations["a"]" is number'],
    ["too many layers", { ...MANIFEST, layers: Array.from({ length: 10_001 }, () => BLOB) }, "10001 entries"],
  ])("names what is wrong: %s", (_name, document, fault) => {
    expect(() => decodeManifest(json(document))).toThrow(fault);
  });

  test("refuses what is no JSON, too big, or no UTF-8", () => {
    expect(() => decodeManifest(Buffer.from("<html>"))).toThrow("it is not JSON");
    expect(() => decodeManifest(Buffer.from([0x7b, 0xff, 0x7d]))).toThrow("it is not JSON");
    expect(() => decodeManifest(Buffer.alloc(9 * 1024 * 1024, 0x20))).toThrow(
      "more than the 8388608 allowed",
    );
  });

  test("survives deep nesting", () => {
    const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;
    const text = JSON.stringify(MANIFEST).replace("{", `{"x":${deep},`);
    expect(decodeManifest(Buffer.from(text)).layers).toEqual([BLOB]);
  });
});

describe("decodeManifestDocument()", () => {
  const index = { schemaVersion: 2, manifests: [{ ...BLOB, mediaType: MEDIA_TYPES.ociManifest }] };

  test.each<[string, object, string | undefined, string, string]>([
    [
      "its own mediaType",
      { ...index, mediaType: MEDIA_TYPES.dockerIndex },
      undefined,
      "index",
      MEDIA_TYPES.dockerIndex,
    ],
    ["the stated type", index, MEDIA_TYPES.dockerIndex, "index", MEDIA_TYPES.dockerIndex],
    ["its members", index, "text/plain", "index", MEDIA_TYPES.ociIndex],
    [
      "its members",
      { ...MANIFEST, mediaType: undefined },
      "application/json",
      "manifest",
      MEDIA_TYPES.ociManifest,
    ],
    [
      "its own type over the stated",
      MANIFEST,
      MEDIA_TYPES.dockerManifest,
      "manifest",
      MEDIA_TYPES.ociManifest,
    ],
  ])("decides by %s", (_name, document, stated, kind, mediaType) => {
    expect(decodeManifestDocument(json(document), stated)).toMatchObject({ kind, mediaType });
  });

  test("refuses a document that is both", () => {
    expect(() => decodeManifestDocument(json({ ...MANIFEST, manifests: [] }))).toThrow("both");
  });

  test("refuses a type that the members contradict", () => {
    expect(() => decodeManifestDocument(json({ ...MANIFEST, mediaType: MEDIA_TYPES.ociIndex }))).toThrow(
      "an image",
    );
    expect(() => decodeManifestDocument(json({ ...index, mediaType: MEDIA_TYPES.ociManifest }))).toThrow(
      "an index",
    );
  });

  test("decodeIndex() and decodeManifest() refuse the other kind", () => {
    expect(() => decodeIndex(json(MANIFEST))).toThrow("manifest of one image");
    expect(() => decodeManifest(json(index))).toThrow("it is an index");
    expect(decodeIndex(json({ schemaVersion: 2, manifests: null })).manifests).toEqual([]);
  });
});

describe("decodeImageConfig()", () => {
  const rootfs = { type: "layers", diff_ids: [DIGEST] };

  test("drops what is null, empty or no longer read", () => {
    const config = decodeImageConfig(
      json({
        architecture: "amd64",
        os: "linux",
        container: "abc",
        docker_version: "1.9",
        config: {
          Hostname: "",
          User: "",
          Env: ["A=1"],
          Cmd: null,
          Entrypoint: "sh",
          Labels: null,
          Volumes: { "/v": {} },
        },
        rootfs,
        history: [{ created_by: "RUN x", empty_layer: true, comment: "" }, {}],
      }),
    );
    expect(config).toEqual({
      architecture: "amd64",
      os: "linux",
      config: { Env: ["A=1"], Entrypoint: ["sh"], Volumes: { "/v": {} } },
      rootfs,
      history: [{ created_by: "RUN x", empty_layer: true }, {}],
    });
  });

  test.each<[object, string]>([
    [{ architecture: "amd64", os: "linux" }, '"rootfs" is missing'],
    [{ rootfs: { type: "x" } }, '"rootfs.type"'],
    [{ rootfs: { type: "layers", diff_ids: ["x"] } }, '"rootfs.diff_ids[0]" is no digest'],
    [{ rootfs, config: { Env: [1] } }, '"config.Env[0]" is number'],
    [{ rootfs, config: { Healthcheck: { Retries: "3" } } }, '"config.Healthcheck.Retries"'],
    [{ rootfs, history: [{ created: 5 }] }, '"history[0].created"'],
  ])("names what is wrong in %j", (document, fault) => {
    expect(() => decodeImageConfig(json(document))).toThrow(fault);
  });

  test("keeps labels with names that objects have of their own", () => {
    const labels = JSON.parse('{"__proto__":"a","constructor":"b"}') as object;
    const { config } = decodeImageConfig(json({ rootfs, config: { Labels: labels } }));
    expect(Object.entries(config?.Labels ?? {})).toEqual(Object.entries(labels));
  });
});

describe("computeChainIds()", () => {
  test("follows the specification's recurrence", () => {
    const [a, b, c] = [digestOf("a"), digestOf("b"), digestOf("c")];
    const ab = digestOf(`${a} ${b}`);
    expect(computeChainIds([a, b, c])).toEqual([a, ab, digestOf(`${ab} ${c}`)]);
    expect(computeChainIds([])).toEqual([]);
  });
});

describe("verifyBlob()", () => {
  const content = Buffer.from("hello world");
  const descriptor: Descriptor = { mediaType: "", digest: digestOf(content), size: content.byteLength };

  test("passes good bytes on, however they are cut", async () => {
    for (const cut of [0, 1, 5, content.byteLength]) {
      const chunks = [content.subarray(0, cut), content.subarray(cut)];
      expect(await drain(verifyBlob(chunks, descriptor))).toEqual(content);
    }
  });

  test.each<[string, string, string]>([
    ["too short", "hello", "5 bytes, not the 11"],
    ["too long", "hello world!", "more than the 11 bytes"],
    ["other bytes", "hello_world", "bytes whose digest is"],
  ])("refuses %s", async (_name, text, fault) => {
    await expect(drain(verifyBlob([Buffer.from(text)], descriptor))).rejects.toThrow(fault);
    expect(() => verifyBytes(Buffer.from(text), { digest: descriptor.digest })).toThrow("Cannot use blob");
  });

  test("stops reading at the first surplus byte", async () => {
    let read = 0;
    const endless = (function* () {
      for (;;) {
        read++;
        yield Buffer.alloc(1024);
      }
    })();
    await expect(drain(verifyBlob(endless, { ...descriptor, size: 4096 }))).rejects.toThrow("more than");
    expect(read).toBe(5);
  });

  test("checks sha512 too", async () => {
    const { createHash } = await import("node:crypto");
    const digest = `sha512:${createHash("sha512").update(content).digest("hex")}` as Descriptor["digest"];
    expect(await drain(verifyBlob([content], { digest, size: 11 }))).toEqual(content);
  });
});

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

async function drain(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}
