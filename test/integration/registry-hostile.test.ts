import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Descriptor, digestOf, MEDIA_TYPES, parseReference, verifyBlob } from "../../src/oci/index.ts";
import { fetchImageMetadata, pullImage, pushImage, RegistryClient } from "../../src/registry/index.ts";
import { HastyClock } from "../support/registry-clock.ts";
import { json, MemoryBlobs, makeImage } from "../support/registry-images.ts";
import type { FaultProxy, SeenRequest } from "../support/registry-proxy.ts";
import { startTwoHosts } from "../support/two-hosts.ts";

const SECRET = "s3cret-password";

describe("a registry that wants credentials for another host", () => {
  let registry: FaultProxy;
  /** Whatever comes here comes from being sent. */
  let elsewhere: FaultProxy;
  let hosts: Awaited<ReturnType<typeof startTwoHosts>> | undefined;
  const image = makeImage({ layerSizes: [50_000, 2_000_000] });

  beforeAll(async () => {
    hosts = await startTwoHosts(image);
    ({ registry, elsewhere } = hosts);
  });
  afterAll(async () => {
    await hosts?.[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    registry.reset();
    elsewhere.reset();
  });

  const newClient = () =>
    new RegistryClient({
      clock: new HastyClock(),
      retry: { maxAttempts: 3 },
      credentials: {
        find: async ({ registry: name }) =>
          name === registry.host
            ? { kind: "password", username: "user", password: SECRET, origin: "the test" }
            : undefined,
      },
    });
  const port = ({ host }: FaultProxy) => host.split(":")[1];
  /** Basic challenge first; then what the case says. */
  const behave = (then: (request: SeenRequest) => string | undefined, status = 307): void => {
    registry.rule = (request) => {
      if (request.headers.authorization === undefined && request.path !== "/v2/?back")
        return { kind: "answer", status: 401, headers: { "www-authenticate": 'Basic realm="x"' } };
      const location = then(request);
      return location === undefined ? undefined : { kind: "answer", status, headers: { location } };
    };
  };
  const secrets = (seen: readonly SeenRequest[]) =>
    seen.filter(({ headers, path }) => {
      const text = JSON.stringify(headers) + path;
      const encoded = Buffer.from(`user:${SECRET}`).toString("base64");
      return text.includes(encoded) || text.includes(SECRET) || headers.cookie !== undefined;
    });
  const reference = () => parseReference(`${registry.host}/x:1`);

  const LOCATIONS: readonly [string, () => string, "followed" | "refused"][] = [
    ["another port", () => `http://127.0.0.1:${port(elsewhere)}/`, "followed"],
    ["another name of this machine", () => `http://localhost:${port(elsewhere)}/`, "followed"],
    ["a name in capitals", () => `HTTP://LOCALHOST:${port(elsewhere)}/`, "followed"],
    ["no scheme", () => `//127.0.0.1:${port(elsewhere)}/`, "followed"],
    ["backslashes", () => `\\\\127.0.0.1:${port(elsewhere)}\\`, "followed"],
    ["a number for an address", () => `http://2130706433:${port(elsewhere)}/`, "followed"],
    ["a short address", () => `http://127.1:${port(elsewhere)}/`, "followed"],
    ["a hexadecimal address", () => `http://0x7f.0.0.1:${port(elsewhere)}/`, "followed"],
    ["a mapped IPv6 address", () => `http://[::ffff:127.0.0.1]:${port(elsewhere)}/`, "followed"],
    ["wide digits", () => `http://%EF%BC%91%EF%BC%92%EF%BC%97.0.0.1:${port(elsewhere)}/`, "followed"],
    ["a user and password", () => `http://user:pw@127.0.0.1:${port(elsewhere)}/`, "refused"],
    [
      "the registry as the user",
      () => `http://${registry.host.replace(":", "%3a")}@127.0.0.1:${port(elsewhere)}/`,
      "refused",
    ],
    ["a file", () => "file:///etc/passwd", "refused"],
    ["a script", () => "javascript:alert(1)", "refused"],
    ["no host", () => "http://", "refused"],
  ];

  describe.each(LOCATIONS)("by a redirect to %s", (_name, location, outcome) => {
    test.each(["/manifests/", "/blobs/"])("of %s gets none", async (what) => {
      behave(({ path }) => {
        if (!path.includes(what)) return undefined;
        const base = location();
        const isPlain = base.endsWith("/") || base.endsWith("\\");
        return isPlain ? `${base.slice(0, -1)}${path}` : base;
      });
      await using client = newClient();
      const pulling = pullImage(client, { reference: reference(), sink: new MemoryBlobs() });
      if (outcome === "followed") await pulling;
      else await expect(pulling).rejects.toMatchObject({ name: "RegistryError" });
      expect(secrets(elsewhere.seen)).toEqual([]);
      expect(elsewhere.seen.length > 0).toBe(outcome === "followed");
      expect(secrets(registry.seen).length).toBeGreaterThan(0);
    });
  });

  test("by a redirect away and back gets none on the way back", async () => {
    behave(({ path }) => (path.includes("/blobs/") ? `http://${elsewhere.host}/away` : undefined));
    elsewhere.rule = () => ({
      kind: "answer",
      status: 307,
      headers: { location: `http://${registry.host}/v2/?back` },
    });
    await using client = newClient();
    await expect(pullImage(client, { reference: reference(), sink: new MemoryBlobs() })).rejects.toThrow();
    const back = registry.seen.filter(({ path }) => path === "/v2/?back");
    expect(back.length).toBeGreaterThan(0);
    expect(secrets(back)).toEqual([]);
  });

  test("by a challenge of the host that it redirects to gets none: guests have no name", async () => {
    behave(({ path }) => (path.includes("/blobs/") ? `http://${elsewhere.host}${path}` : undefined));
    elsewhere.rule = () => ({
      kind: "answer",
      status: 401,
      headers: {
        "www-authenticate": `Basic realm="x", Bearer realm="http://${elsewhere.host}/token",service="s"`,
      },
    });
    await using client = newClient();
    await expect(
      pullImage(client, { reference: reference(), sink: new MemoryBlobs() }),
    ).rejects.toMatchObject({ name: "RegistryError" });
    expect(secrets(elsewhere.seen)).toEqual([]);
    const asked = elsewhere.seen.filter(({ path }) => path.startsWith("/token"));
    expect(asked.map(({ headers }) => headers.authorization)).toEqual(asked.map(() => undefined));
  });

  test("by the location of an upload gets none there, and the blob arrives", async () => {
    behave(() => undefined);
    const own = registry.rule;
    registry.rule = (request) =>
      own(request) ??
      (request.method === "POST"
        ? { kind: "location", change: (text) => text.replace(registry.host, elsewhere.host) }
        : undefined);
    await using client = newClient();
    const other = makeImage({ layerSizes: [70_000] });
    await pushImage(client, {
      source: other.blobs,
      root: other.manifest,
      reference: parseReference(`${registry.host}/y:1`),
    });
    expect(elsewhere.seen.map(({ method }) => method)).toEqual(["PUT", "PUT"]);
    expect(secrets(elsewhere.seen)).toEqual([]);
  });

  test("by links to other pages is asked itself instead", async () => {
    behave(() => undefined);
    const own = registry.rule;
    registry.rule = (request) =>
      own(request) ??
      (/tags\/list|referrers/.test(request.path)
        ? { kind: "headers", set: { link: `<http://${elsewhere.host}/v2/x/tags/list?n=1>; rel="next"` } }
        : undefined);
    await using client = newClient();
    const tags: string[] = [];
    for await (const page of client.repository(reference()).listTags()) tags.push(...page);
    expect(tags).toEqual(["1"]);
    await client.repository(reference()).listReferrers(image.manifest.digest);
    expect(elsewhere.seen).toEqual([]);
  });

  test("by the urls of a descriptor is not followed", async () => {
    behave(() => undefined);
    const blobs = new MemoryBlobs();
    const config = blobs.put(
      json({
        architecture: "amd64",
        os: "linux",
        rootfs: { type: "layers", diff_ids: [digestOf(json("x"))] },
      }),
      MEDIA_TYPES.ociConfig,
    );
    const bytes = Buffer.alloc(1000);
    const layer = {
      mediaType: MEDIA_TYPES.ociLayerGzip,
      digest: digestOf(bytes),
      size: bytes.byteLength,
      urls: [`http://${elsewhere.host}/layer`],
    };
    const manifest = blobs.put(
      json({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config, layers: [layer] }),
      MEDIA_TYPES.ociManifest,
    );
    registry.rule = ({ path }) => {
      const wanted = path.includes("/manifests/")
        ? manifest
        : path.includes(config.digest)
          ? config
          : undefined;
      const body = wanted === undefined ? undefined : blobs.content.get(wanted.digest);
      return body === undefined
        ? { kind: "answer", status: 404 }
        : {
            kind: "answer",
            status: 200,
            headers: { "content-type": wanted?.mediaType ?? "" },
            body: Buffer.from(body).toString(),
          };
    };
    await using client = newClient();
    await expect(
      pullImage(client, { reference: parseReference(`${registry.host}/foreign:1`), sink: new MemoryBlobs() }),
    ).rejects.toMatchObject({ code: "BLOB_NOT_FOUND" });
    expect(elsewhere.seen).toEqual([]);
  });

  test("what cannot succeed names the registry, the repository, whose credentials, and the server's own words", async () => {
    registry.rule = ({ headers, path }) => {
      if (headers.authorization === undefined)
        return { kind: "answer", status: 401, headers: { "www-authenticate": 'Basic realm="x"' } };
      if (!path.includes("/manifests/")) return undefined;
      const body = '{"errors":[{"code":"DENIED","message":"the moon is wrong\\u001b[31m"}]}';
      return { kind: "answer", status: 403, body };
    };
    await using client = newClient();
    const failure = await fetchImageMetadata(client, reference()).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: "DENIED",
      repository: "x",
      credentialOrigin: "the test",
      message: expect.stringMatching(
        new RegExp(`"${registry.host}/x:1": ${registry.host} answered 403 \\(DENIED: the moon is wrong`),
      ),
      hint: expect.stringContaining(`do not allow this: ask for the right to ${registry.host}/x,`),
    });
    expect(String(failure)).not.toContain("\u001b");
    expect(JSON.stringify(failure)).not.toContain(SECRET);
  });
});

describe("a registry that never ends", () => {
  /** Sends without end whatever is asked for, and tells how much it got rid of. */
  async function startFountain(
    answer: (path: string, response: ServerResponse) => string | undefined,
  ): Promise<{ readonly host: string; sent(): number } & AsyncDisposable> {
    let sent = 0;
    const server = createServer((request, response) => {
      if (request.url === "/v2/") {
        response.end();
        return;
      }
      const text = answer(request.url ?? "", response);
      if (text === undefined) {
        response.writeHead(404).end();
        return;
      }
      const piece = Buffer.from(text.repeat(Math.ceil(65_536 / text.length)));
      const more = (): void => {
        while (!response.destroyed) {
          sent += piece.byteLength;
          if (!response.write(piece)) break;
        }
      };
      response.on("drain", more);
      more();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    return {
      host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
      sent: () => sent,
      async [Symbol.asyncDispose]() {
        server.closeAllConnections();
        server.close();
        await once(server, "close");
      },
    };
  }

  test.each<[string, number, string, (client: RegistryClient, host: string) => Promise<unknown>]>([
    [
      "a manifest",
      200,
      "BAD_RESPONSE",
      (client, host) => fetchImageMetadata(client, parseReference(`${host}/x:1`)),
    ],
    ["a refusal", 403, "DENIED", (client, host) => fetchImageMetadata(client, parseReference(`${host}/x:1`))],
    [
      "a list of tags",
      200,
      "BAD_RESPONSE",
      (client, host) =>
        client
          .repository(parseReference(`${host}/x`))
          .listTags()
          .next(),
    ],
    [
      "a list of referrers",
      200,
      "BAD_RESPONSE",
      (client, host) =>
        client.repository(parseReference(`${host}/x`)).listReferrers(digestOf(Buffer.from("x"))),
    ],
  ])("with %s is left", async (_name, status, code, ask) => {
    await using fountain = await startFountain((_path, response) => {
      response.writeHead(status, { "content-type": "application/json" });
      return " ";
    });
    await using client = new RegistryClient({ clock: new HastyClock() });
    await expect(ask(client, fountain.host)).rejects.toMatchObject({ code });
    expect(fountain.sent()).toBeLessThan(64 * 1024 * 1024);
  });

  test("with a blob is left at the first byte too many", async () => {
    await using fountain = await startFountain(() => "x");
    await using client = new RegistryClient({ clock: new HastyClock() });
    const size = 100_000;
    const bytes = Buffer.alloc(size, "x");
    const descriptor: Descriptor = { mediaType: "a/b", digest: digestOf(bytes), size };
    const blob = await client.repository(parseReference(`${fountain.host}/x`)).openBlob(descriptor);
    const read = async (): Promise<number> => {
      let got = 0;
      for await (const chunk of verifyBlob(blob, descriptor)) got += chunk.byteLength;
      return got;
    };
    await expect(read()).rejects.toMatchObject({ code: "BLOB_CORRUPT" });
    expect(fountain.sent()).toBeLessThan(16 * 1024 * 1024);
  });
});
