import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Descriptor, digestOf, parseReference } from "../../src/oci/index.ts";
import { fetchImageMetadata, pullImage, pushImage, RegistryClient } from "../../src/registry/index.ts";
import { HastyClock, ManualClock } from "../support/registry-clock.ts";
import { MemoryBlobs, makeImage } from "../support/registry-images.ts";
import { freePort } from "../support/registry-server.ts";
import { describeBadNetwork } from "./support/bad-network.ts";

describeBadNetwork("a registry behind a bad network", (net) => {
  const { big, newClient, reference } = net;

  describe("manifests", () => {
    test("with changed bytes are refused by tag and by digest", async () => {
      net.proxy.rule = ({ path }) =>
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
      net.proxy.rule = ({ path }) =>
        path.includes("/manifests/") ? { kind: "answer", status: 200, body } : undefined;
      await using client = newClient();
      await expect(fetchImageMetadata(client, reference())).rejects.toMatchObject({
        code: "DOCUMENT_INVALID",
        message: `Cannot fetch manifest "${net.proxy.host}/x:1": ${net.proxy.host} sent none that can be used`,
        cause: expect.objectContaining({ message: expect.stringContaining(fault) }),
      });
    });

    test("past any sensible size are not read", async () => {
      net.proxy.rule = ({ path }) =>
        path.includes("/manifests/")
          ? { kind: "answer", status: 200, body: " ".repeat(9_000_000) }
          : undefined;
      await using client = newClient();
      await expect(fetchImageMetadata(client, reference())).rejects.toMatchObject({ code: "BAD_RESPONSE" });
    });

    test.each([403, 404, 405, 200])("are fetched where HEAD answers %i and says nothing", async (status) => {
      net.proxy.rule = ({ method }) => (method === "HEAD" ? { kind: "answer", status } : undefined);
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
      expect(net.proxy.seen.filter(({ path }) => path !== "/v2/").map(({ method }) => method)).toEqual([
        "HEAD",
      ]);
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
      net.proxy.rule = ({ path, nth }) =>
        path !== "/v2/" && nth < 2 ? { kind: "answer", status } : undefined;
      await using client = newClient();
      expect((await fetchImageMetadata(client, reference())).root).toEqual(big.manifest);
    });

    test("that stays is told, with what the server says", async () => {
      net.proxy.rule = ({ path }) =>
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
        message: `Cannot fetch manifest "${net.proxy.host}/x:1": ${net.proxy.host} answered 503 (UNAVAILABLE: back soon), 10 times`,
        attempts: 10,
      });
      expect(net.proxy.seen.filter(({ path }) => path.includes("/manifests/"))).toHaveLength(10);
      expect(net.clock.waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 8000, 8000, 8000]);
    });

    test("resets pass", async () => {
      net.proxy.rule = ({ path, nth }) => (path !== "/v2/" && nth < 2 ? { kind: "reset" } : undefined);
      await using client = newClient();
      expect((await fetchImageMetadata(client, reference())).root).toEqual(big.manifest);
    });

    test.each<[string, () => Record<string, string>, number]>([
      ["1 second", () => ({ "retry-after": "1" }), 1000],
      ["a date", () => ({ "retry-after": new Date(Date.now() + 20_000).toUTCString() }), 20_000],
      ["no time", () => ({}), 2000],
      ["nonsense", () => ({ "retry-after": "-1" }), 2000],
    ])("429 with %s is waited for", async (_name, headers, expectedMs) => {
      net.proxy.rule = ({ path, nth }) =>
        path.includes("/manifests/") && nth === 0
          ? { kind: "answer", status: 429, headers: headers() }
          : undefined;
      await using client = newClient();
      await fetchImageMetadata(client, reference());
      const waiting = net.events.flatMap((event) => (event.kind === "waiting" ? [event.waitMs] : []));
      expect(waiting).toHaveLength(1);
      // A date has whole seconds, and a little time passes before the answer is read.
      expect(Math.abs((waiting[0] ?? 0) - expectedMs)).toBeLessThan(5000);
    });

    test("429 for an hour is told at once, with the limits", async () => {
      net.proxy.rule = ({ path }) =>
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
      expect(net.clock.waits).toEqual([]);
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

    test("one that is being started on this machine is waited for where a time is given", async () => {
      const host = `127.0.0.1:${await freePort()}`;
      const clock = new HastyClock();
      await using client = new RegistryClient({ clock, retryTimeoutMs: 120_000 });
      await expect(fetchImageMetadata(client, parseReference(`${host}/x:1`))).rejects.toMatchObject({
        code: "UNREACHABLE",
      });
      const waitedMs = clock.waits.reduce((sum, waitMs) => sum + waitMs, 0);
      expect(waitedMs).toBeGreaterThan(100_000);
      expect(waitedMs).toBeLessThan(125_000);
    });

    test("waiting for one that does not answer ends with the signal, and leaves nothing behind", async () => {
      const host = `127.0.0.1:${await freePort()}`;
      const clock = new ManualClock();
      await using client = new RegistryClient({ clock, retryTimeoutMs: 3_600_000 });
      const controller = new AbortController();
      const waits = clock.nextTimer();
      const fetching = fetchImageMetadata(client, parseReference(`${host}/x:1`), {
        signal: controller.signal,
      });
      fetching.catch(() => undefined);
      await waits;
      controller.abort(new Error("enough"));
      await expect(fetching).rejects.toThrow("enough");
      expect(clock.timers).toBe(0);
    });

    test("warnings of the registry are passed on once", async () => {
      net.proxy.rule = () => ({ kind: "headers", set: { warning: '299 - "moving soon"' } });
      await using client = newClient();
      await fetchImageMetadata(client, reference());
      expect(net.events.flatMap((event) => (event.kind === "warning" ? [event.text] : []))).toEqual([
        "moving soon",
      ]);
    });
  });

  test("a blob damaged in the registry's own storage is noticed", async () => {
    const image = makeImage({ layerSizes: [50_000] });
    await using client = new RegistryClient();
    const own = parseReference(`${net.server.host}/rotten:1`);
    await pushImage(client, { source: image.blobs, root: image.manifest, reference: own });
    const hex = (image.layers[0] as Descriptor).digest.slice(7);
    const file = join(net.server.root, "docker/registry/v2/blobs/sha256", hex.slice(0, 2), hex, "data");
    const content = await readFile(file);
    content[100] = (content[100] ?? 0) ^ 1;
    await writeFile(file, content);
    const sink = new MemoryBlobs();
    await expect(pullImage(client, { reference: own, sink })).rejects.toMatchObject({ code: "BLOB_CORRUPT" });
    expect(sink.content.size).toBe(0);
    expect(await readdir(net.server.root)).toEqual(["docker"]);
    expect(digestOf(content)).not.toBe((image.layers[0] as Descriptor).digest);
  });
});
