import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { fetchImageMetadata, pullImage, RegistryClient } from "../../src/registry/index.ts";
import { MemoryBlobs } from "../support/registry-images.ts";
import { type FaultProxy, startProxy } from "../support/registry-proxy.ts";
import { describeBadNetwork } from "./support/bad-network.ts";

describeBadNetwork("blobs over a bad network", (net) => {
  const { bytes, download, isBlob, layer, newClient, ranges, reference } = net;

  describe("downloads", () => {
    test("go on at the byte where they broke", async () => {
      net.proxy.rule = (request) =>
        isBlob(request) && request.nth < 3 ? { kind: "cut", afterBytes: 500_000 } : undefined;
      await using client = newClient();
      expect(Buffer.compare(await download(client), bytes)).toBe(0);
      expect(ranges()).toEqual([undefined, "bytes=500000-", "bytes=1000000-", "bytes=1500000-"]);
    });

    test("survive any number of breaks while they progress", async () => {
      net.proxy.rule = (request) =>
        isBlob(request) && request.nth < 12 ? { kind: "cut", afterBytes: 230_000 } : undefined;
      await using client = newClient();
      expect(Buffer.compare(await download(client), bytes)).toBe(0);
      expect(ranges()).toHaveLength(13);
    });

    test("give up when nothing comes any more", async () => {
      net.proxy.rule = (request) =>
        isBlob(request) ? { kind: "cut", afterBytes: request.nth === 0 ? 1000 : 0 } : undefined;
      await using client = newClient();
      await expect(download(client)).rejects.toMatchObject({
        code: "UNREACHABLE",
        message: expect.stringContaining("at byte 1000 of 3000000"),
      });
      expect(ranges()).toHaveLength(10);
    });

    test("ask for the rest of what they began with", async () => {
      const etags: (string | undefined)[] = [];
      net.proxy.rule = (request) => {
        if (!isBlob(request)) return undefined;
        etags.push(request.headers["if-range"] as string | undefined);
        return request.nth < 2 ? { kind: "cut", afterBytes: 500_000 } : undefined;
      };
      await using client = newClient();
      expect(Buffer.compare(await download(client), bytes)).toBe(0);
      // The registry's ETag of a blob is its digest.
      expect(etags).toEqual([undefined, `"${layer.digest}"`, `"${layer.digest}"`]);
      expect(ranges()).toEqual([undefined, "bytes=500000-", "bytes=1000000-"]);
    });

    test.each([
      ["a weak ETag", 'W/"v1"'],
      ["no ETag", undefined],
      ["an ETag that is none", "v1"],
    ])("ask for the rest without a condition where there is %s", async (_name, etag) => {
      net.proxy.rule = (request) =>
        isBlob(request)
          ? request.nth < 1
            ? { kind: "cut", afterBytes: 500_000, set: { etag } }
            : undefined
          : undefined;
      await using client = newClient();
      expect(Buffer.compare(await download(client), bytes)).toBe(0);
      expect(net.proxy.seen.some(({ headers }) => headers["if-range"] !== undefined)).toBe(false);
      expect(ranges()).toEqual([undefined, "bytes=500000-"]);
    });

    test("start over once where the server has another version, and then ask without a condition", async () => {
      net.proxy.rule = (request) => {
        if (!isBlob(request)) return undefined;
        const set = { etag: `"made-up-${request.nth}"` };
        return request.nth < 3
          ? { kind: "cut", afterBytes: 700_001 + 100_000 * request.nth, set }
          : undefined;
      };
      await using client = newClient();
      expect(Buffer.compare(await download(client), bytes)).toBe(0);
      const asked = net.proxy.seen.filter(isBlob).map(({ headers }) => headers["if-range"]);
      expect(asked).toEqual([undefined, '"made-up-0"', undefined, undefined]);
      expect(ranges()).toEqual([undefined, "bytes=700001-", "bytes=800001-", "bytes=1700002-"]);
    });

    test("start over where the server knows no ranges, without repeating a byte", async () => {
      net.proxy.rule = (request) => {
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
      net.proxy.rule = (request) => {
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
          net.proxy.seen.length = 0;
          let done = 0;
          net.proxy.rule = (request) => {
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
      net.proxy.rule = (request) =>
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
      net.proxy.rule = (request) => (isBlob(request) ? { kind: "tamper", change } : undefined);
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

  describe("redirects", () => {
    let storage: FaultProxy;
    beforeAll(async () => {
      storage = await startProxy(net.server.host);
    });
    afterAll(async () => await storage?.[Symbol.asyncDispose]());
    beforeEach(() => {
      storage.reset();
    });
    const toStorage = (path: string) => `http://${storage.host}${path}?signature=secret`;
    const secret = { kind: "password", username: "u", password: "p", origin: "test" } as const;

    test("to a storage get no credentials, and the registry is asked again after a break", async () => {
      net.proxy.rule = (request) => {
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
        clock: net.clock,
        credentials: { find: async () => secret },
        onEvent: (event) => net.events.push(event),
      });
      expect(Buffer.compare(await download(client), bytes)).toBe(0);
      expect(storage.seen.map(({ headers }) => [headers.authorization, headers.range])).toEqual([
        [undefined, undefined],
        [undefined, "bytes=1000000-"],
      ]);
      expect(ranges()).toEqual([undefined, undefined, "bytes=1000000-"]);
      expect(JSON.stringify(net.events)).not.toContain("secret");
    });

    test("to a link that has expired are asked for again", async () => {
      net.proxy.rule = (request) =>
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
      net.proxy.rule = ({ path }) =>
        path.includes("/manifests/")
          ? { kind: "answer", status: 307, headers: { location: path } }
          : undefined;
      await using client = newClient();
      await expect(fetchImageMetadata(client, reference())).rejects.toThrow("go round in circles");
      net.proxy.rule = ({ path }) =>
        path.startsWith("/v2/x")
          ? { kind: "answer", status: 302, headers: { location: "file:///etc/passwd" } }
          : undefined;
      await expect(fetchImageMetadata(client, reference())).rejects.toThrow("it leads to file:");
    });
  });
});
