import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Descriptor, digestOf, parseReference, verifyBlob } from "../../src/oci/index.ts";
import {
  fetchImageMetadata,
  pullImage,
  pushImage,
  RegistryClient,
  type RegistryEvent,
} from "../../src/registry/index.ts";
import { HastyClock } from "../support/registry-clock.ts";
import { MemoryBlobs, makeImage } from "../support/registry-images.ts";
import { type Fault, type FaultProxy, type SeenRequest, startProxy } from "../support/registry-proxy.ts";
import { freePort, hasRegistry, type RegistryServer, startRegistry } from "../support/registry-server.ts";

describe.skipIf(!hasRegistry)("a registry behind a bad network (docker-registry installed)", () => {
  let server: RegistryServer;
  let proxy: FaultProxy;
  const big = makeImage({ layerSizes: [3_000_000] });
  const layer = big.layers[0] as Descriptor;
  const bytes = big.blobs.content.get(layer.digest) as Uint8Array;
  let clock: HastyClock;
  let events: RegistryEvent[];

  beforeAll(async () => {
    server = await startRegistry();
    proxy = await startProxy(server.host);
    clock = new HastyClock();
    events = [];
    await using client = new RegistryClient();
    await pushImage(client, {
      source: big.blobs,
      root: big.manifest,
      reference: parseReference(`${server.host}/x:1`),
    });
  });
  afterAll(async () => {
    await proxy?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    proxy.reset();
    clock = new HastyClock();
    events = [];
  });

  const newClient = () => new RegistryClient({ clock, onEvent: (event) => events.push(event) });
  const reference = (name = "x:1") => parseReference(`${proxy.host}/${name}`);
  const isBlob = ({ path, method }: SeenRequest) =>
    method === "GET" && path.includes(`/blobs/${layer.digest}`);
  const ranges = () => proxy.seen.filter(isBlob).map(({ headers }) => headers.range);

  async function download(client: RegistryClient): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    const blob = await client.repository(reference()).openBlob(layer);
    for await (const chunk of verifyBlob(blob, layer)) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  describe("downloads", () => {
    test("go on at the byte where they broke", async () => {
      proxy.rule = (request) =>
        isBlob(request) && request.nth < 3 ? { kind: "cut", afterBytes: 500_000 } : undefined;
      await using client = newClient();
      expect(Buffer.compare(await download(client), bytes)).toBe(0);
      expect(ranges()).toEqual([undefined, "bytes=500000-", "bytes=1000000-", "bytes=1500000-"]);
    });

    test("survive any number of breaks while they progress", async () => {
      proxy.rule = (request) =>
        isBlob(request) && request.nth < 12 ? { kind: "cut", afterBytes: 230_000 } : undefined;
      await using client = newClient();
      expect(Buffer.compare(await download(client), bytes)).toBe(0);
      expect(ranges()).toHaveLength(13);
    });

    test("give up when nothing comes any more", async () => {
      proxy.rule = (request) =>
        isBlob(request) ? { kind: "cut", afterBytes: request.nth === 0 ? 1000 : 0 } : undefined;
      await using client = newClient();
      await expect(download(client)).rejects.toMatchObject({
        code: "UNREACHABLE",
        message: expect.stringContaining("at byte 1000 of 3000000"),
      });
      expect(ranges()).toHaveLength(10);
    });

    test("start over where the server knows no ranges, without repeating a byte", async () => {
      proxy.rule = (request) => {
        if (!isBlob(request)) return undefined;
        return request.nth === 0 ? { kind: "cut", afterBytes: 700_001 } : { kind: "no-range" };
      };
      await using client = newClient();
      expect(Buffer.compare(await download(client), bytes)).toBe(0);
    });

    test.each<[string, Record<string, string | undefined>]>([
      ["another start", { "content-range": "bytes 5-2999999/3000000" }],
      ["another size", { "content-range": "bytes 700000-2999999/4000000" }],
      ["no range", { "content-range": undefined }],
    ])("do not believe a part with %s", async (_name, set) => {
      proxy.rule = (request) => {
        if (!isBlob(request)) return undefined;
        if (request.nth === 0) return { kind: "cut", afterBytes: 700_000 };
        return request.headers.range === undefined ? undefined : { kind: "headers", set };
      };
      await using client = newClient();
      expect(Buffer.compare(await download(client), bytes)).toBe(0);
    });

    test("are the same wherever they are cut", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 1_500_000 }), { maxLength: 4 }), async (cuts) => {
          proxy.seen.length = 0;
          let done = 0;
          proxy.rule = (request) => {
            const afterBytes = isBlob(request) ? cuts[done++] : undefined;
            return afterBytes === undefined ? undefined : { kind: "cut", afterBytes };
          };
          await using client = newClient();
          expect(Buffer.compare(await download(client), bytes)).toBe(0);
          expect(ranges().length).toBeLessThanOrEqual(cuts.length + 1);
        }),
        { numRuns: 20 },
      );
    });

    test("can begin in the middle", async () => {
      await using client = newClient();
      const chunks: Uint8Array[] = [];
      for await (const chunk of await client.repository(reference()).openBlob(layer, { offset: 2_999_990 }))
        chunks.push(chunk);
      expect(Buffer.concat(chunks)).toEqual(Buffer.from(bytes.subarray(2_999_990)));
    });

    test("of changed bytes are tried some more times, then refused", async () => {
      const flip = (body: Buffer) => Buffer.from(body).fill(0, 10, 20);
      let changes = 3;
      proxy.rule = (request) =>
        isBlob(request) && changes-- > 0 ? { kind: "tamper", change: flip } : undefined;
      await using client = newClient();
      const sink = new MemoryBlobs();
      await pullImage(client, { reference: reference(), sink });
      expect(sink.content.has(layer.digest)).toBe(true);
      changes = 4;
      await expect(
        pullImage(client, { reference: reference(), sink: new MemoryBlobs() }),
      ).rejects.toMatchObject({
        code: "BLOB_CORRUPT",
        message: expect.stringContaining(layer.digest),
      });
    });

    test.each([
      ["longer", (body: Buffer) => Buffer.concat([body, Buffer.from("x")])],
      ["shorter", (body: Buffer) => body.subarray(1)],
    ])("that announce a %s body are refused before they start", async (_name, change) => {
      proxy.rule = (request) => (isBlob(request) ? { kind: "tamper", change } : undefined);
      await using client = newClient();
      await expect(download(client)).rejects.toMatchObject({ code: "BLOB_CORRUPT" });
    });

    test("stop at once when aborted, with the reason given", async () => {
      await using client = newClient();
      const controller = new AbortController();
      const blob = await client.repository(reference()).openBlob(layer, { signal: controller.signal });
      const read = async () => {
        for await (const _chunk of blob) controller.abort(new Error("enough"));
      };
      await expect(read()).rejects.toThrow("enough");
    });
  });

  describe("manifests", () => {
    test("with changed bytes are refused by tag and by digest", async () => {
      proxy.rule = ({ path }) =>
        path.includes("/manifests/")
          ? { kind: "tamper", change: (body) => Buffer.concat([body, Buffer.from(" ")]) }
          : undefined;
      await using client = newClient();
      await expect(fetchImageMetadata(client, reference())).rejects.toMatchObject({ code: "BAD_RESPONSE" });
      await expect(client.repository(reference()).fetchManifest(big.manifest.digest)).rejects.toMatchObject({
        code: "BAD_RESPONSE",
        message: expect.stringContaining("not the one asked for"),
      });
    });

    test.each<[string, string, string]>([
      ["a page", "<html>", "it is not JSON"],
      [
        "both kinds at once",
        '{"schemaVersion":2,"manifests":[],"layers":[],"config":{}}',
        'both "manifests" and "layers"',
      ],
      ["schema 1", '{"schemaVersion":1,"fsLayers":[]}', "schema 1"],
    ])("that are %s are refused", async (_name, body, fault) => {
      proxy.rule = ({ path }) =>
        path.includes("/manifests/") ? { kind: "answer", status: 200, body } : undefined;
      await using client = newClient();
      await expect(fetchImageMetadata(client, reference())).rejects.toMatchObject({
        code: "DOCUMENT_INVALID",
        message: `Cannot fetch manifest "${proxy.host}/x:1": ${proxy.host} sent none that can be used`,
        cause: expect.objectContaining({ message: expect.stringContaining(fault) }),
      });
    });

    test("past any sensible size are not read", async () => {
      proxy.rule = ({ path }) =>
        path.includes("/manifests/")
          ? { kind: "answer", status: 200, body: " ".repeat(9_000_000) }
          : undefined;
      await using client = newClient();
      await expect(fetchImageMetadata(client, reference())).rejects.toMatchObject({ code: "BAD_RESPONSE" });
    });

    test.each([403, 404, 405, 200])("are fetched where HEAD answers %i and says nothing", async (status) => {
      proxy.rule = ({ method }) => (method === "HEAD" ? { kind: "answer", status } : undefined);
      await using client = newClient();
      const { descriptor, document } = await client.repository(reference()).resolve("1");
      expect(descriptor).toEqual(big.manifest);
      expect(document?.descriptor).toEqual(big.manifest);
    });

    test("are not fetched when the tag has not moved", async () => {
      await using client = newClient();
      const readKnown = async ({ digest }: Descriptor) => big.blobs.content.get(digest);
      const metadata = await fetchImageMetadata(client, reference(), { readKnown });
      expect(metadata.manifest.descriptor).toEqual(big.manifest);
      expect(proxy.seen.filter(({ path }) => path !== "/v2/").map(({ method }) => method)).toEqual(["HEAD"]);
    });

    test("that are damaged here are fetched again", async () => {
      await using client = newClient();
      const readKnown = async () => Buffer.from("damaged");
      const metadata = await fetchImageMetadata(client, reference(), { readKnown });
      expect(metadata.config.descriptor).toEqual(big.config);
    });
  });

  describe("trouble of the server", () => {
    test.each([500, 502, 503, 504, 408, 520])("%i passes", async (status) => {
      proxy.rule = ({ path, nth }) => (path !== "/v2/" && nth < 2 ? { kind: "answer", status } : undefined);
      await using client = newClient();
      expect((await fetchImageMetadata(client, reference())).root).toEqual(big.manifest);
    });

    test("that stays is told, with what the server says", async () => {
      proxy.rule = ({ path }) =>
        path.includes("/manifests/")
          ? {
              kind: "answer",
              status: 503,
              headers: { "x-request-id": "abc" },
              body: '{"errors":[{"code":"UNAVAILABLE","message":"back soon"}]}',
            }
          : undefined;
      await using client = newClient();
      await expect(fetchImageMetadata(client, reference())).rejects.toMatchObject({
        code: "SERVER_FAILED",
        status: 503,
        requestId: "abc",
        message: `Cannot fetch manifest "${proxy.host}/x:1": ${proxy.host} answered 503 (UNAVAILABLE: back soon)`,
      });
      expect(proxy.seen.filter(({ path }) => path.includes("/manifests/"))).toHaveLength(10);
      expect(clock.waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 8000, 8000, 8000]);
    });

    test("resets pass", async () => {
      proxy.rule = ({ path, nth }) => (path !== "/v2/" && nth < 2 ? { kind: "reset" } : undefined);
      await using client = newClient();
      expect((await fetchImageMetadata(client, reference())).root).toEqual(big.manifest);
    });

    test.each<[string, () => Record<string, string>, number]>([
      ["1 second", () => ({ "retry-after": "1" }), 1000],
      ["a date", () => ({ "retry-after": new Date(Date.now() + 20_000).toUTCString() }), 20_000],
      ["no time", () => ({}), 2000],
      ["nonsense", () => ({ "retry-after": "-1" }), 2000],
    ])("429 with %s is waited for", async (_name, headers, expectedMs) => {
      proxy.rule = ({ path, nth }) =>
        path.includes("/manifests/") && nth === 0
          ? { kind: "answer", status: 429, headers: headers() }
          : undefined;
      await using client = newClient();
      await fetchImageMetadata(client, reference());
      const waiting = events.flatMap((event) => (event.kind === "waiting" ? [event.waitMs] : []));
      expect(waiting).toHaveLength(1);
      // A date has whole seconds, and a little time passes before the answer is read.
      expect(Math.abs((waiting[0] ?? 0) - expectedMs)).toBeLessThan(5000);
    });

    test("429 for an hour is told at once, with the limits", async () => {
      proxy.rule = ({ path }) =>
        path.includes("/manifests/")
          ? {
              kind: "answer",
              status: 429,
              headers: {
                "retry-after": "3600",
                "ratelimit-limit": "100;w=21600",
                "docker-ratelimit-source": "1.2.3.4",
              },
              body: '{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}',
            }
          : undefined;
      await using client = newClient();
      await expect(fetchImageMetadata(client, reference())).rejects.toMatchObject({
        code: "RATE_LIMITED",
        hint: "The limit is 100 pulls in 6 h for 1.2.3.4; it wants to be asked again in 3600 s. Logging in or using a mirror may help",
      });
      expect(clock.waits).toEqual([]);
    });

    test("an unreachable registry is told at once on this machine", async () => {
      const port = await freePort();
      await using client = newClient();
      await expect(fetchImageMetadata(client, parseReference(`127.0.0.1:${port}/x:1`))).rejects.toMatchObject(
        {
          code: "UNREACHABLE",
          message: `Cannot fetch manifest "127.0.0.1:${port}/x:1": 127.0.0.1:${port}: the connection was refused`,
        },
      );
    });

    test("warnings of the registry are passed on once", async () => {
      proxy.rule = () => ({ kind: "headers", set: { warning: '299 - "moving soon"' } });
      await using client = newClient();
      await fetchImageMetadata(client, reference());
      expect(events.flatMap((event) => (event.kind === "warning" ? [event.text] : []))).toEqual([
        "moving soon",
      ]);
    });
  });

  describe("redirects", () => {
    let storage: FaultProxy;
    beforeAll(async () => {
      storage = await startProxy(server.host);
    });
    afterAll(async () => await storage?.[Symbol.asyncDispose]());
    beforeEach(() => {
      storage.reset();
    });
    const toStorage = (path: string) => `http://${storage.host}${path}?signature=secret`;
    const secret = { kind: "password", username: "u", password: "p", origin: "test" } as const;

    test("to a storage get no credentials, and the registry is asked again after a break", async () => {
      proxy.rule = (request) => {
        const { authorization } = request.headers;
        if (authorization === undefined)
          return { kind: "answer", status: 401, headers: { "www-authenticate": 'Basic realm="x"' } };
        return isBlob(request)
          ? { kind: "answer", status: 307, headers: { location: toStorage(request.path) } }
          : undefined;
      };
      let cuts = 1;
      storage.rule = () => (cuts-- > 0 ? { kind: "cut", afterBytes: 1_000_000 } : undefined);
      await using client = new RegistryClient({
        clock,
        credentials: { find: async () => secret },
        onEvent: (event) => events.push(event),
      });
      expect(Buffer.compare(await download(client), bytes)).toBe(0);
      expect(storage.seen.map(({ headers }) => [headers.authorization, headers.range])).toEqual([
        [undefined, undefined],
        [undefined, "bytes=1000000-"],
      ]);
      expect(ranges()).toEqual([undefined, undefined, "bytes=1000000-"]);
      expect(JSON.stringify(events)).not.toContain("secret");
    });

    test("to a link that has expired are asked for again", async () => {
      proxy.rule = (request) =>
        isBlob(request)
          ? { kind: "answer", status: 307, headers: { location: toStorage(request.path) } }
          : undefined;
      let refusals = 2;
      storage.rule = () =>
        refusals-- > 0 ? { kind: "answer", status: 403, body: "<Error>expired</Error>" } : undefined;
      await using client = newClient();
      expect(Buffer.compare(await download(client), bytes)).toBe(0);
    });

    test("that lead nowhere are refused", async () => {
      proxy.rule = ({ path }) =>
        path.includes("/manifests/")
          ? { kind: "answer", status: 307, headers: { location: path } }
          : undefined;
      await using client = newClient();
      await expect(fetchImageMetadata(client, reference())).rejects.toThrow("go round in circles");
      proxy.rule = ({ path }) =>
        path.startsWith("/v2/x")
          ? { kind: "answer", status: 302, headers: { location: "file:///etc/passwd" } }
          : undefined;
      await expect(fetchImageMetadata(client, reference())).rejects.toThrow("it leads to file:");
    });
  });

  describe("uploads", () => {
    const push = async (client: RegistryClient, name: string) => {
      const image = makeImage({ layerSizes: [400_000] });
      const result = await pushImage(client, {
        source: image.blobs,
        root: image.manifest,
        reference: reference(name),
      });
      const sink = new MemoryBlobs();
      proxy.rule = () => undefined;
      await pullImage(new RegistryClient(), { reference: reference(name), sink });
      expect(sink.content.size).toBe(3);
      return result;
    };
    const isPut = ({ method, path }: SeenRequest) => method === "PUT" && path.includes("/blobs/uploads/");
    const puts = () => proxy.seen.filter(isPut).length;

    test("that break start over with a new session", async () => {
      let breaks = 2;
      proxy.rule = (request) =>
        isPut(request) && breaks-- > 0 ? { kind: "break-upload", afterBytes: 100_000 } : undefined;
      await using client = newClient();
      await push(client, "broken:1");
      expect(puts()).toBe(4);
      expect(events.filter(({ kind }) => kind === "retried")).toHaveLength(2);
    });

    test("whose answer is lost are not sent twice", async () => {
      let losses = 2;
      proxy.rule = (request) => (isPut(request) && losses-- > 0 ? { kind: "lose-answer" } : undefined);
      await using client = newClient();
      await push(client, "lost:1");
      expect(puts()).toBe(2);
    });

    test.each([500, 502, 404, 416])("that are answered %i start over", async (status) => {
      let answers = 2;
      proxy.rule = (request) => (isPut(request) && answers-- > 0 ? { kind: "answer", status } : undefined);
      await using client = newClient();
      await push(client, `status${status}:1`);
      expect(puts()).toBe(4);
    });

    test.each([400, 403])("that are refused with %i are not repeated", async (status) => {
      proxy.rule = (request) => (isPut(request) ? { kind: "answer", status } : undefined);
      await using client = newClient();
      await expect(push(client, `refused${status}:1`)).rejects.toMatchObject({ status });
      expect(puts()).toBeLessThanOrEqual(2);
    });

    const isPatch = ({ method }: SeenRequest) => method === "PATCH";
    const patches = () => proxy.seen.filter(isPatch).map(({ headers }) => headers["content-range"]);
    const limit =
      (bytes: number) =>
      ({ headers, method }: SeenRequest) =>
        (method === "PUT" || method === "PATCH") && Number(headers["content-length"]) > bytes
          ? ({ kind: "answer", status: 413, headers: { connection: "close" } } as const)
          : undefined;

    test("that are too large in one piece go in pieces that pass", async () => {
      proxy.rule = limit(300_000);
      const image = makeImage({ layerSizes: [1_000_000] });
      await using client = newClient();
      await pushImage(client, {
        source: image.blobs,
        root: image.manifest,
        reference: reference("pieces:1"),
      });
      // 16 MiB and 4 MiB hold all of it, 1 MiB too; a quarter of that passes.
      expect(patches().slice(-4)).toEqual(["0-262143", "262144-524287", "524288-786431", "786432-999999"]);
      const sink = new MemoryBlobs();
      await pullImage(client, { reference: reference("pieces:1"), sink });
      expect(sink.content.size).toBe(3);
    });

    test("that are too large in any piece are told", async () => {
      proxy.rule = limit(1000);
      await using client = newClient();
      await expect(push(client, "never:1")).rejects.toMatchObject({ status: 413 });
    });

    test.each<[string, Fault]>([
      ["is lost", { kind: "break-upload", afterBytes: 100_000 }],
      ["gets no answer", { kind: "lose-answer" }],
      ["is answered 500", { kind: "answer", status: 500 }],
      ["is answered 416", { kind: "answer", status: 416 }],
      ["is answered 404", { kind: "answer", status: 404 }],
    ])("in pieces end well when a piece %s", async (name, fault) => {
      const image = makeImage({ layerSizes: [1_000_000] });
      let trouble = 2;
      proxy.rule = (request) => {
        const tooLarge = limit(300_000)(request);
        if (tooLarge !== undefined) return tooLarge;
        return isPatch(request) && request.headers["content-range"]?.startsWith("262144") && trouble-- > 0
          ? fault
          : undefined;
      };
      await using client = newClient();
      const to = reference(`pieces/${name.replaceAll(" ", "-")}:1`);
      await pushImage(client, { source: image.blobs, root: image.manifest, reference: to });
      proxy.rule = () => undefined;
      const sink = new MemoryBlobs();
      await pullImage(client, { reference: to, sink });
      expect(sink.content.size).toBe(3);
    });

    test.each<[string, (location: string) => string]>([
      ["a path", (location) => new URL(location).pathname + new URL(location).search],
      ["no scheme", (location) => location.replace(/^http:\/\//, "")],
    ])("go where the registry says: %s", async (_name, change) => {
      proxy.rule = ({ method }) => (method === "POST" ? { kind: "location", change } : undefined);
      await using client = newClient();
      await push(client, `where${_name.length}:1`);
    });

    test("without a location, or to where we do not go, are refused", async () => {
      for (const [location, fault] of [
        [undefined, "named no location"],
        ["ftp://elsewhere/x", "not safe to use"],
      ] as const) {
        proxy.rule = ({ method }) =>
          method === "POST"
            ? { kind: "answer", status: 202, headers: location === undefined ? {} : { location } }
            : undefined;
        await using client = newClient();
        await expect(push(client, "nowhere:1")).rejects.toThrow(fault);
      }
    });

    test.each([201, 202, 400, 401, 403, 404, 405])(
      "end well whatever a mount is answered: %i",
      async (status) => {
        const image = makeImage({ layerSizes: [100_000] });
        proxy.rule = ({ path }) => {
          if (!path.includes("mount=")) return undefined;
          // 201 without the blob being there would be a lie that no client can see through.
          return status === 201 || status === 202
            ? undefined
            : { kind: "answer", status, headers: { "www-authenticate": 'Basic realm="x"' } };
        };
        await using client = newClient();
        await pushImage(client, {
          source: image.blobs,
          root: image.manifest,
          reference: reference(`m/from${status}:1`),
        });
        await pushImage(client, {
          source: image.blobs,
          root: image.manifest,
          reference: reference(`m/to${status}:1`),
        });
        const sink = new MemoryBlobs();
        await pullImage(new RegistryClient(), {
          reference: parseReference(`${server.host}/m/to${status}:1`),
          sink,
        });
        expect(sink.content.size).toBe(3);
      },
    );

    test("are looked at again when the registry misses one for the manifest", async () => {
      const image = makeImage({ layerSizes: [1000] });
      await using client = newClient();
      const body = JSON.stringify({
        errors: [{ code: "MANIFEST_BLOB_UNKNOWN", message: "blob unknown to registry" }],
      });
      let refusals = 1;
      proxy.rule = ({ method, path }) =>
        method === "PUT" && path.includes("/manifests/") && refusals-- > 0
          ? { kind: "answer", status: 400, body }
          : undefined;
      const push = () =>
        pushImage(client, { source: image.blobs, root: image.manifest, reference: reference("missing:1") });
      expect((await push()).blobs).toEqual({ uploaded: 2, mounted: 0, present: 0 });
      expect(
        proxy.seen.filter(({ method, path }) => method === "HEAD" && path.includes("/blobs/")),
      ).toHaveLength(4);
      refusals = 9;
      await using other = newClient();
      const again = () =>
        pushImage(other, { source: image.blobs, root: image.manifest, reference: reference("missing:2") });
      await expect(again()).rejects.toMatchObject({ code: "REFUSED", status: 400 });
    });

    test("are not repeated where only the storage knows no HEAD", async () => {
      proxy.rule = ({ method, path }) => {
        if (!path.includes(`/blobs/${layer.digest}`) || path.includes("storage")) {
          return path.includes("storage") && method === "HEAD" ? { kind: "answer", status: 403 } : undefined;
        }
        return { kind: "answer", status: 307, headers: { location: `http://${proxy.host}${path}?storage` } };
      };
      await using client = newClient();
      const { blobs } = await pushImage(client, {
        source: big.blobs,
        root: big.manifest,
        reference: reference(),
      });
      expect(blobs).toEqual({ uploaded: 0, mounted: 0, present: 2 });
    });

    test("of a source that does not have its digest say so", async () => {
      const image = makeImage({ layerSizes: [1000] });
      const [bad] = image.layers;
      if (bad === undefined) throw new Error("unreachable");
      image.blobs.content.set(bad.digest, Buffer.alloc(1000));
      await using client = newClient();
      const push = () =>
        pushImage(client, { source: image.blobs, root: image.manifest, reference: reference("bad:1") });
      await expect(push()).rejects.toMatchObject({
        code: "BLOB_CORRUPT",
        message: expect.stringContaining(bad.digest),
      });
      image.blobs.content.set(bad.digest, Buffer.alloc(999));
      await expect(push()).rejects.toMatchObject({
        code: "BLOB_CORRUPT",
        message: expect.stringContaining("fewer than the 1000"),
      });
      image.blobs.content.set(bad.digest, Buffer.alloc(1001));
      await expect(push()).rejects.toMatchObject({
        code: "BLOB_CORRUPT",
        message: expect.stringContaining("more than the 1000"),
      });
    });
  });

  test("a blob damaged in the registry's own storage is noticed", async () => {
    const image = makeImage({ layerSizes: [50_000] });
    await using client = new RegistryClient();
    const own = parseReference(`${server.host}/rotten:1`);
    await pushImage(client, { source: image.blobs, root: image.manifest, reference: own });
    const hex = (image.layers[0] as Descriptor).digest.slice(7);
    const file = join(server.root, "docker/registry/v2/blobs/sha256", hex.slice(0, 2), hex, "data");
    const content = await readFile(file);
    content[100] = (content[100] ?? 0) ^ 1;
    await writeFile(file, content);
    const sink = new MemoryBlobs();
    await expect(pullImage(client, { reference: own, sink })).rejects.toMatchObject({ code: "BLOB_CORRUPT" });
    expect(sink.content.size).toBe(0);
    expect(await readdir(server.root)).toEqual(["docker"]);
    expect(digestOf(content)).not.toBe((image.layers[0] as Descriptor).digest);
  });
});
