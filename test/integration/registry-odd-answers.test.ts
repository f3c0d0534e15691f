import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Descriptor, MEDIA_TYPES, parseReference, verifyBlob } from "../../src/oci/index.ts";
import {
  copyImage,
  fetchImageMetadata,
  pullImage,
  pushImage,
  RegistryClient,
} from "../../src/registry/index.ts";
import { startMemoryRegistry } from "../support/memory-registry.ts";
import { HastyClock } from "../support/registry-clock.ts";
import { json, MemoryBlobs, makeImage } from "../support/registry-images.ts";
import { type FaultProxy, type SeenRequest, startProxy } from "../support/registry-proxy.ts";

describe("a registry, or what stands before it, with odd answers", () => {
  let registry: FaultProxy;
  let server: AsyncDisposable & { readonly host: string };
  const image = makeImage({ layerSizes: [600_000] });
  const layer = image.layers[0] as Descriptor;
  const bytes = image.blobs.content.get(layer.digest) as Uint8Array;

  beforeAll(async () => {
    server = await startMemoryRegistry({ pageSize: 2 });
    registry = await startProxy(server.host);
    await using client = newClient();
    await pushImage(client, { source: image.blobs, root: image.manifest, reference: at("x:1") });
  });
  afterAll(async () => {
    for (const open of [registry, server]) await open?.[Symbol.asyncDispose]();
  });
  beforeEach(() => registry.reset());

  const newClient = () => new RegistryClient({ clock: new HastyClock() });
  const at = (name: string) => parseReference(`${registry.host}/${name}`);
  const isLayer = ({ method, path }: SeenRequest) => method === "GET" && path.includes(layer.digest);
  const download = async (): Promise<Buffer> => {
    await using client = newClient();
    const chunks: Uint8Array[] = [];
    const blob = await client.repository(at("x")).openBlob(layer);
    for await (const chunk of verifyBlob(blob, layer)) chunks.push(chunk);
    return Buffer.concat(chunks);
  };

  test("bodies that are called gzip, and are what was asked for, are taken as they are", async () => {
    registry.rule = ({ method }) =>
      method === "GET" ? { kind: "headers", set: { "content-encoding": "gzip" } } : undefined;
    const sink = new MemoryBlobs();
    await using client = newClient();
    await pullImage(client, { reference: at("x:1"), sink });
    expect([...sink.content.keys()].sort()).toEqual([...image.blobs.content.keys()].sort());
    expect(registry.seen.every(({ headers }) => headers["accept-encoding"] !== "gzip")).toBe(true);
  });

  test("a blob that really is compressed on the way is refused, not stored", async () => {
    registry.rule = (request) =>
      isLayer(request) ? { kind: "tamper", change: (body) => gzipSync(body) } : undefined;
    const sink = new MemoryBlobs();
    await using client = newClient();
    await expect(pullImage(client, { reference: at("x:1"), sink })).rejects.toMatchObject({
      code: "BLOB_CORRUPT",
      message: expect.stringContaining(layer.digest),
    });
    expect(sink.content.has(layer.digest)).toBe(false);
  });

  test("several ranges at once, where one was asked for, are not taken for it", async () => {
    const part =
      "--x\r\nContent-Type: a/b\r\nContent-Range: bytes 200000-599999/600000\r\n\r\nnot the bytes\r\n--x--";
    registry.rule = (request) => {
      if (!isLayer(request)) return undefined;
      if (request.headers.range === undefined) return { kind: "cut", afterBytes: 200_000 };
      const ranged = registry.seen.filter((seen) => isLayer(seen) && seen.headers.range !== undefined);
      if (ranged.length > 2) return undefined;
      const headers = { "content-type": "multipart/byteranges; boundary=x" };
      return { kind: "answer", status: 206, headers, body: part };
    };
    expect(Buffer.compare(await download(), bytes)).toBe(0);
  });

  test("a registry that knows only several ranges at once gives the blob whole", async () => {
    let cuts = 1;
    registry.rule = (request) => {
      if (!isLayer(request)) return undefined;
      if (request.headers.range === undefined)
        return cuts-- > 0 ? { kind: "cut", afterBytes: 200_000 } : undefined;
      const headers = { "content-type": "multipart/byteranges; boundary=x" };
      return { kind: "answer", status: 206, headers, body: "--x--" };
    };
    expect(Buffer.compare(await download(), bytes)).toBe(0);
  });

  test.each([500, 503])("a mount that is answered %i is an upload, before long", async (status) => {
    const mount = ({ path }: SeenRequest) => path.includes("mount=");
    registry.rule = (request) => (mount(request) ? { kind: "answer", status } : undefined);
    await using client = newClient();
    const name = `mounted/not${status}`;
    const { blobs } = await pushImage(client, {
      source: image.blobs,
      root: image.manifest,
      reference: at(`${name}:1`),
      mountFrom: () => [`${registry.host}/x`],
    });
    expect(blobs).toEqual({ uploaded: 2, mounted: 0, present: 0 });
    expect(registry.seen.filter(mount).length).toBeLessThanOrEqual(2 * 3);
    const sink = new MemoryBlobs();
    await pullImage(client, { reference: at(`${name}:1`), sink });
    expect(sink.content.size).toBe(3);
  });

  test("a mount that is answered by a broken connection is an upload", async () => {
    registry.rule = ({ path }) => (path.includes("mount=") ? { kind: "reset" } : undefined);
    await using client = newClient();
    const { blobs } = await pushImage(client, {
      source: image.blobs,
      root: image.manifest,
      reference: at("mounted/broken:1"),
      mountFrom: () => [`${registry.host}/x`],
    });
    expect(blobs).toEqual({ uploaded: 2, mounted: 0, present: 0 });
  });

  test.each([500, 502, 503])("%i of the first question and of lists passes", async (status) => {
    await using client = newClient();
    for (const tag of ["2", "3", "4", "5"])
      await pushImage(client, {
        source: image.blobs,
        root: image.manifest,
        reference: at(`tags${status}:${tag}`),
      });
    registry.reset();
    registry.rule = ({ nth }) => (nth < 2 ? { kind: "answer", status } : undefined);
    await using other = newClient();
    const tags: string[] = [];
    for await (const page of other.repository(at(`tags${status}`)).listTags()) tags.push(...page);
    expect(tags).toEqual(["2", "3", "4", "5"]);
  });

  test.each(["/v2/", "/v2/x/tags/list"])("500 of %s that stays is one error", async (path) => {
    registry.rule = (request) =>
      request.path.startsWith("/v2/x/tags") || request.path === path
        ? { kind: "answer", status: 500 }
        : undefined;
    await using client = newClient();
    const listing = client.repository(at("x")).listTags().next();
    await expect(listing).rejects.toMatchObject({ code: "SERVER_FAILED", status: 500 });
  });

  describe("indexes", () => {
    /** Indexes in indexes, so many, with an image in the innermost. */
    async function pushNest(levels: number, name: string): Promise<void> {
      await using client = newClient();
      const repository = client.repository(at(name));
      await pushImage(client, { source: image.blobs, root: image.manifest, reference: at(`${name}:image`) });
      let inner: Descriptor = { ...image.manifest, platform: { os: "linux", architecture: "amd64" } };
      for (let level = 1; level <= levels; level++) {
        const index = json({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [inner] });
        const tag = level === levels ? "1" : undefined;
        inner = await repository.pushManifest(index, { mediaType: MEDIA_TYPES.ociIndex, tag });
      }
    }
    const copyTo = async (name: string) => {
      await using client = newClient();
      const to = client.repository(at(`${name}/copy`));
      const sink = new MemoryBlobs();
      return await copyImage({
        from: client.repository(at(name)),
        name: "1",
        to,
        pushBlob: async (descriptor, open, signal) => {
          await sink.writeBlob(descriptor, open);
          return await to.pushBlob(descriptor, open, { signal });
        },
        tags: ["1"],
      });
    };

    test("in indexes are followed, and not without end", async () => {
      await pushNest(3, "nest3");
      await using client = newClient();
      expect((await fetchImageMetadata(client, at("nest3:1"))).manifest.descriptor).toMatchObject({
        digest: image.manifest.digest,
      });
      expect((await copyTo("nest3")).blobs).toEqual({ uploaded: 0, mounted: 2, present: 0 });
      await pushNest(9, "nest9");
      await expect(fetchImageMetadata(client, at("nest9:1"))).rejects.toMatchObject({
        code: "DOCUMENT_INVALID",
        message: expect.stringContaining("nested deeper than"),
      });
      registry.seen.length = 0;
      await expect(copyTo("nest9")).rejects.toMatchObject({ code: "DOCUMENT_INVALID" });
      expect(registry.seen.filter(({ method }) => method === "GET").length).toBeLessThan(10);
    });

    test("that are said to list themselves are refused by their digest", async () => {
      // No index can have its own digest inside: a registry can only pretend that one does.
      const named = { ...image.manifest, mediaType: MEDIA_TYPES.ociIndex };
      const body = Buffer.from(
        json({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [named] }),
      ).toString();
      const headers = { "content-type": MEDIA_TYPES.ociIndex };
      registry.rule = ({ path }) =>
        path.includes("/manifests/") ? { kind: "answer", status: 200, headers, body } : undefined;
      await using client = newClient();
      for (const pull of [
        () => pullImage(client, { reference: at("round:1"), sink: new MemoryBlobs() }),
        () => copyTo("round"),
      ])
        await expect(pull()).rejects.toMatchObject({ name: expect.stringMatching(/RegistryError|OciError/) });
      expect(registry.seen.length).toBeLessThan(20);
    });
  });
});
