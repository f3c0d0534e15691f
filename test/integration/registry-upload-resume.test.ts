import { describe, expect, test } from "vitest";
import { type Descriptor, parseReference } from "../../src/oci/index.ts";
import { pullImage, pushImage, RegistryClient } from "../../src/registry/index.ts";
import { startMemoryRegistry } from "../support/memory-registry.ts";
import type { MemoryRegistryOptions } from "../support/memory-registry-rules.ts";
import { HastyClock } from "../support/registry-clock.ts";
import { MemoryBlobs, makeImage } from "../support/registry-images.ts";
import { type Fault, type SeenRequest, startProxy } from "../support/registry-proxy.ts";

const SIZE = 4_000_000;

/** Pushes an image through a proxy that does something to its uploads; what the proxy saw of them. */
async function push(
  options: MemoryRegistryOptions,
  rule: (request: SeenRequest) => Fault | undefined,
): Promise<readonly string[]> {
  await using server = await startMemoryRegistry(options);
  await using proxy = await startProxy(server.host);
  const image = makeImage({ layerSizes: [SIZE] });
  const layer = image.layers[0] as Descriptor;
  proxy.rule = rule;
  await using client = new RegistryClient({ clock: new HastyClock() });
  const reference = parseReference(`${proxy.host}/x:1`);
  await pushImage(client, { source: image.blobs, root: image.manifest, reference });
  proxy.rule = () => undefined;
  const sink = new MemoryBlobs();
  await pullImage(client, { reference, sink });
  expect(sink.content.has(layer.digest)).toBe(true);
  return proxy.seen
    .filter(({ method, path, headers }) => {
      const isLayer = method === "PATCH" || path.includes(layer.digest.slice(7));
      return isLayer && (method === "PUT" || method === "PATCH") && headers.host === proxy.host;
    })
    .map(({ method, headers }) => `${method} ${headers["content-range"] ?? headers["content-length"]}`);
}

const isLayerPut = ({ method, headers }: SeenRequest) =>
  method === "PUT" && headers["content-length"] === String(SIZE);
const half: Fault = { kind: "break-upload", afterBytes: SIZE / 2, forward: true };

describe("an upload that broke off", () => {
  test("goes on where the registry stands, in pieces", async () => {
    const sent = await push({ broken: "keep" }, (request) => (isLayerPut(request) ? half : undefined));
    // What was still on its way when the connection broke did not come to the registry.
    const stands = Number(/^PATCH (\d+)-/.exec(sent[1] ?? "")?.[1]);
    expect(stands).toBeGreaterThan(0);
    expect(stands).toBeLessThanOrEqual(SIZE / 2);
    const pieces: string[] = [];
    for (let at = stands; at < SIZE; at += 262_144)
      pieces.push(`PATCH ${at}-${Math.min(at + 262_144, SIZE) - 1}`);
    expect(sent).toEqual([`PUT ${SIZE}`, ...pieces, "PUT 0"]);
  });

  test("goes whole into a session that got nothing, so that a lost answer costs nothing", async () => {
    let breaks = 1;
    let losses = 1;
    const sent = await push({ broken: "keep" }, (request) => {
      if (!isLayerPut(request)) return undefined;
      if (breaks-- > 0) return { kind: "break-upload", afterBytes: SIZE / 2 };
      return losses-- > 0 ? { kind: "lose-answer" } : undefined;
    });
    expect(sent).toEqual([`PUT ${SIZE}`, `PUT ${SIZE}`]);
  });

  test("starts over where the registry keeps nothing", async () => {
    let breaks = 1;
    const sent = await push({ broken: "forget" }, (request) =>
      isLayerPut(request) && breaks-- > 0 ? half : undefined,
    );
    expect(sent).toEqual([`PUT ${SIZE}`, `PUT ${SIZE}`]);
  });

  test("starts over where the registry does not say what it has", async () => {
    let breaks = 1;
    const sent = await push({ broken: "keep", sessionStatus: false }, (request) =>
      isLayerPut(request) && breaks-- > 0 ? half : undefined,
    );
    expect(sent).toEqual([`PUT ${SIZE}`, `PUT ${SIZE}`]);
  });

  test("starts over where the registry takes no pieces", async () => {
    let breaks = 1;
    const sent = await push({ broken: "keep" }, (request) => {
      if (request.method === "PATCH") return { kind: "answer", status: 405 };
      return isLayerPut(request) && breaks-- > 0 ? half : undefined;
    });
    expect(sent.at(-1)).toBe(`PUT ${SIZE}`);
    expect(sent.filter((line) => line.startsWith("PATCH"))).toHaveLength(1);
  });

  test("only at its end is not sent again", async () => {
    let losses = 2;
    const sent = await push({ broken: "keep" }, (request) => {
      if (isLayerPut(request)) return half;
      const isEnd = request.method === "PUT" && request.headers["content-length"] === "0";
      return isEnd && losses-- > 0 ? { kind: "answer", status: 503 } : undefined;
    });
    expect(sent.slice(-3)).toEqual(["PUT 0", "PUT 0", "PUT 0"]);
    const pieces = sent.filter((line) => line.startsWith("PATCH"));
    expect(new Set(pieces).size).toBe(pieces.length);
  });

  test("and never moves on ends", async () => {
    const pushing = push({ broken: "keep" }, (request) => {
      if (request.method === "PATCH") return { kind: "answer", status: 500 };
      return isLayerPut(request) ? half : undefined;
    });
    await expect(pushing).rejects.toMatchObject({ code: "SERVER_FAILED", status: 500 });
  });
});

describe("a body", () => {
  test("is asked about first once a host was in trouble", async () => {
    const asked: (string | undefined)[] = [];
    let troubles = 2;
    await push({}, ({ method, headers }) => {
      const isLarge = Number(headers["content-length"] ?? 0) > 500_000;
      if (!isLarge || (method !== "PUT" && method !== "PATCH")) return undefined;
      asked.push(headers.expect);
      return troubles-- > 0 ? { kind: "answer", status: 503 } : undefined;
    });
    expect(asked).toEqual(["100-continue", "100-continue", "100-continue"]);
  });

  test("is asked about when it is the first large one, and not once the host has taken one", async () => {
    await using server = await startMemoryRegistry();
    await using proxy = await startProxy(server.host);
    await using client = new RegistryClient({ clock: new HastyClock() });
    const repository = client.repository(parseReference(`${proxy.host}/x:1`));
    for (const seed of ["first", "second", "third"]) {
      const { blobs, layers } = makeImage({ layerSizes: [SIZE], seed });
      const layer = layers[0] as Descriptor;
      await repository.pushBlob(layer, (at) => blobs.openBlob(layer, at));
    }
    const puts = proxy.seen.filter(({ method }) => method === "PUT");
    expect(puts.map(({ headers }) => headers.expect)).toEqual(["100-continue", undefined, undefined]);
  });

  test("is sent without asking where the registry does not know that", async () => {
    let troubles = 1;
    const sent = await push({}, ({ method, path, headers }) => {
      if (method === "HEAD" && path.includes("/blobs/") && troubles-- > 0)
        return { kind: "answer", status: 503 };
      return headers.expect === undefined ? undefined : { kind: "answer", status: 417 };
    });
    expect(sent).toEqual([`PUT ${SIZE}`, `PUT ${SIZE}`]);
  });
});
