import { describe, expect, test } from "vitest";
import { parseReference } from "../../src/oci/index.ts";
import { pullImage, pushImage, RegistryClient } from "../../src/registry/index.ts";
import { MemoryBlobs, makeImage } from "../support/registry-images.ts";
import type { Fault, SeenRequest } from "../support/registry-proxy.ts";
import { describeBadNetwork } from "./support/bad-network.ts";

describeBadNetwork("uploads over a bad network", (net) => {
  const { big, layer, newClient, reference } = net;

  describe("uploads", () => {
    const push = async (client: RegistryClient, name: string) => {
      const image = makeImage({ layerSizes: [400_000] });
      const result = await pushImage(client, {
        source: image.blobs,
        root: image.manifest,
        reference: reference(name),
      });
      const sink = new MemoryBlobs();
      net.proxy.rule = () => undefined;
      await pullImage(new RegistryClient(), { reference: reference(name), sink });
      expect(sink.content.size).toBe(3);
      return result;
    };
    const isPut = ({ method, path }: SeenRequest) => method === "PUT" && path.includes("/blobs/uploads/");
    const puts = () => net.proxy.seen.filter(isPut).length;

    test("that break start over with a new session", async () => {
      let breaks = 2;
      net.proxy.rule = (request) =>
        isPut(request) && breaks-- > 0 ? { kind: "break-upload", afterBytes: 100_000 } : undefined;
      await using client = newClient();
      await push(client, "broken:1");
      expect(puts()).toBe(4);
      expect(net.events.filter(({ kind }) => kind === "retried")).toHaveLength(2);
    });

    test("whose answer is lost are not sent twice", async () => {
      let losses = 2;
      net.proxy.rule = (request) => (isPut(request) && losses-- > 0 ? { kind: "lose-answer" } : undefined);
      await using client = newClient();
      await push(client, "lost:1");
      expect(puts()).toBe(2);
    });

    test.each([500, 502, 404, 416])("that are answered %i start over", async (status) => {
      let answers = 2;
      net.proxy.rule = (request) =>
        isPut(request) && answers-- > 0 ? { kind: "answer", status } : undefined;
      await using client = newClient();
      await push(client, `status${status}:1`);
      expect(puts()).toBe(4);
    });

    test.each([400, 403])("that are refused with %i are not repeated", async (status) => {
      net.proxy.rule = (request) => (isPut(request) ? { kind: "answer", status } : undefined);
      await using client = newClient();
      await expect(push(client, `refused${status}:1`)).rejects.toMatchObject({ status });
      expect(puts()).toBeLessThanOrEqual(2);
    });

    const isPatch = ({ method }: SeenRequest) => method === "PATCH";
    const patches = () => net.proxy.seen.filter(isPatch).map(({ headers }) => headers["content-range"]);
    const limit =
      (bytes: number) =>
      ({ headers, method }: SeenRequest) =>
        (method === "PUT" || method === "PATCH") && Number(headers["content-length"]) > bytes
          ? ({ kind: "answer", status: 413, headers: { connection: "close" } } as const)
          : undefined;

    test("that are too large in one piece go in pieces that pass", async () => {
      net.proxy.rule = limit(300_000);
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
      net.proxy.rule = limit(1000);
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
      net.proxy.rule = (request) => {
        const tooLarge = limit(300_000)(request);
        if (tooLarge !== undefined) return tooLarge;
        return isPatch(request) && request.headers["content-range"]?.startsWith("262144") && trouble-- > 0
          ? fault
          : undefined;
      };
      await using client = newClient();
      const to = reference(`pieces/${name.replaceAll(" ", "-")}:1`);
      await pushImage(client, { source: image.blobs, root: image.manifest, reference: to });
      net.proxy.rule = () => undefined;
      const sink = new MemoryBlobs();
      await pullImage(client, { reference: to, sink });
      expect(sink.content.size).toBe(3);
    });

    test.each<[string, (location: string) => string]>([
      ["a path", (location) => new URL(location).pathname + new URL(location).search],
      ["no scheme", (location) => location.replace(/^http:\/\//, "")],
    ])("go where the registry says: %s", async (_name, change) => {
      net.proxy.rule = ({ method }) => (method === "POST" ? { kind: "location", change } : undefined);
      await using client = newClient();
      await push(client, `where${_name.length}:1`);
    });

    test("without a location, or to where we do not go, are refused", async () => {
      for (const [location, fault] of [
        [undefined, "named no location"],
        ["ftp://elsewhere/x", "not safe to use"],
      ] as const) {
        net.proxy.rule = ({ method }) =>
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
        net.proxy.rule = ({ path }) => {
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
          reference: parseReference(`${net.server.host}/m/to${status}:1`),
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
      net.proxy.rule = ({ method, path }) =>
        method === "PUT" && path.includes("/manifests/") && refusals-- > 0
          ? { kind: "answer", status: 400, body }
          : undefined;
      const push = () =>
        pushImage(client, { source: image.blobs, root: image.manifest, reference: reference("missing:1") });
      expect((await push()).blobs).toEqual({ uploaded: 2, mounted: 0, present: 0 });
      expect(
        net.proxy.seen.filter(({ method, path }) => method === "HEAD" && path.includes("/blobs/")),
      ).toHaveLength(4);
      refusals = 9;
      await using other = newClient();
      const again = () =>
        pushImage(other, { source: image.blobs, root: image.manifest, reference: reference("missing:2") });
      await expect(again()).rejects.toMatchObject({ code: "REFUSED", status: 400 });
    });

    test("are not repeated where only the storage knows no HEAD", async () => {
      net.proxy.rule = ({ method, path }) => {
        if (!path.includes(`/blobs/${layer.digest}`) || path.includes("storage")) {
          return path.includes("storage") && method === "HEAD" ? { kind: "answer", status: 403 } : undefined;
        }
        return {
          kind: "answer",
          status: 307,
          headers: { location: `http://${net.proxy.host}${path}?storage` },
        };
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
});
