import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { parseReference } from "../../src/oci/index.ts";
import { parseRegistriesConf } from "../../src/registry/hosts/registries-conf.ts";
import {
  createHostConfigs,
  fetchImageMetadata,
  type MirrorAddress,
  pullImage,
  pushImage,
  RegistryClient,
  type RegistryEvent,
} from "../../src/registry/index.ts";
import { layCerts, makeCerts, type TestCerts } from "../support/registry-certs.ts";
import { HastyClock } from "../support/registry-clock.ts";
import { MemoryBlobs, makeImage } from "../support/registry-images.ts";
import { hasOpenssl } from "../support/registry-issuer.ts";
import { type FaultProxy, startProxy } from "../support/registry-proxy.ts";
import { freePort, hasRegistry, type RegistryServer, startRegistry } from "../support/registry-server.ts";
import { startTunnel, type Tunnel } from "../support/registry-tunnel.ts";

const image = makeImage({ layerSizes: [10, 3_000_000] });

describe.skipIf(!hasRegistry || !hasOpenssl)("through a proxy (docker-registry, openssl installed)", () => {
  let folder: string;
  let tunnel: Tunnel;
  let plain: RegistryServer;
  let secure: RegistryServer;
  let certsRoot: string;
  let certs: TestCerts;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "strake-proxy-"));
    tunnel = await startTunnel();
    plain = await startRegistry();
    certs = await makeCerts(join(folder, "certs"));
    secure = await startRegistry({
      http: [`tls: {certificate: ${certs.server.cert}, key: ${certs.server.key}}`],
    });
    certsRoot = await layCerts(join(folder, "certs.d"), secure.host, { "ca.crt": certs.ca });
  });
  afterAll(async () => {
    await tunnel?.[Symbol.asyncDispose]();
    await plain?.[Symbol.asyncDispose]();
    await secure?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    tunnel.seen.length = 0;
    tunnel.refuse = undefined;
  });
  const newClient = () =>
    new RegistryClient({ proxy: () => tunnel.url, hosts: createHostConfigs({ certsRoots: [certsRoot] }) });

  test.each(["plain", "secure"])("a %s registry is pushed to and pulled from", async (which) => {
    const { host } = which === "plain" ? plain : secure;
    await using client = newClient();
    await pushImage(client, {
      source: image.blobs,
      root: image.manifest,
      reference: parseReference(`${host}/x:1`),
    });
    const sink = new MemoryBlobs();
    await pullImage(client, { reference: parseReference(`${host}/x:1`), sink });
    expect(sink.content.size).toBe(4);
    const direct = tunnel.seen.filter((line) => !line.endsWith(" as user:s3cret"));
    expect(direct).toEqual([]);
    if (which === "secure") expect(new Set(tunnel.seen)).toContain(`CONNECT ${host} as user:s3cret`);
    else expect(tunnel.seen[0]).toBe(`GET http://${host}/v2/ as user:s3cret`);
  });

  test("a proxy that wants TLS itself is trusted by the system's authorities, and not unseen where a registry is", async () => {
    const { cert, key } = certs.server;
    await using proxy = await startTunnel({
      cert: await readFile(cert, "utf8"),
      key: await readFile(key, "utf8"),
    });
    const ca = await readFile(certs.ca, "utf8");
    const reference = parseReference(`${secure.host}/tls:1`);
    const skipping = createHostConfigs({ tls: { skipVerify: true } });
    await using without = new RegistryClient({ proxy: () => proxy.url, hosts: skipping });
    await expect(fetchImageMetadata(without, reference)).rejects.toMatchObject({
      code: "TLS_FAILED",
      hint: expect.stringContaining("SSL_CERT_FILE"),
    });
    expect(proxy.seen).toEqual([]);
    await using client = new RegistryClient({
      proxy: () => proxy.url,
      systemCa: () => Promise.resolve([ca]),
    });
    await pushImage(client, { source: image.blobs, root: image.manifest, reference });
    expect(new Set(proxy.seen)).toEqual(new Set([`CONNECT ${secure.host} as user:s3cret`]));
  });

  test("a proxy that refuses is named, without its password", async () => {
    tunnel.refuse = 407;
    await using client = newClient();
    const error = await fetchImageMetadata(client, parseReference(`${secure.host}/x:1`)).catch(
      (caught: unknown) => caught,
    );
    expect(String(error)).toContain(`the proxy ${tunnel.url.host} refused with 407`);
    expect(String(error)).not.toContain("s3cret");
  });

  test("a proxy that is not there is named", async () => {
    const port = await freePort();
    await using client = new RegistryClient({
      proxy: () => new URL(`http://127.0.0.1:${port}`),
      clock: new HastyClock(),
    });
    await expect(fetchImageMetadata(client, parseReference("registry.example/x:1"))).rejects.toMatchObject({
      code: "UNREACHABLE",
      message: expect.stringContaining(`by way of the proxy 127.0.0.1:${port}`),
    });
  });
});

describe.skipIf(!hasRegistry)("with mirrors (docker-registry installed)", () => {
  let server: RegistryServer;
  let upstream: FaultProxy;
  let mirror: FaultProxy;
  let events: RegistryEvent[];
  beforeAll(async () => {
    server = await startRegistry();
    upstream = await startProxy(server.host);
    mirror = await startProxy(server.host);
    await using client = new RegistryClient();
    await pushImage(client, {
      source: image.blobs,
      root: image.manifest,
      reference: parseReference(`${server.host}/x:1`),
    });
  });
  afterAll(async () => {
    await upstream?.[Symbol.asyncDispose]();
    await mirror?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    upstream.reset();
    mirror.reset();
    events = [];
  });
  const reference = () => parseReference(`${upstream.host}/x:1`);
  const newClient = (...addresses: MirrorAddress[]) =>
    new RegistryClient({
      hosts: createHostConfigs({ mirrors: new Map([[upstream.host, addresses]]) }),
      clock: new HastyClock(),
      onEvent: (event) => events.push(event),
    });
  const pull = async (client: RegistryClient) => {
    const sink = new MemoryBlobs();
    const { root } = await pullImage(client, { reference: reference(), sink });
    expect(root).toEqual(image.manifest);
    expect(sink.content.size).toBe(4);
  };
  const count = (proxy: FaultProxy) => proxy.seen.filter(({ path }) => path !== "/v2/").length;

  test("everything is read from the mirror, and pushed to the registry", async () => {
    await using client = newClient({ address: mirror.host });
    await pull(client);
    expect(count(upstream)).toBe(0);
    expect(count(mirror)).toBe(4);
    await pushImage(client, { source: image.blobs, root: image.manifest, reference: reference() });
    expect(count(mirror)).toBe(4);
    expect(count(upstream)).toBeGreaterThan(0);
  });

  test.each([404, 403, 401, 500])("a mirror that answers %i is passed over", async (status) => {
    mirror.rule = () => ({ kind: "answer", status });
    await using client = newClient({ address: `http://${mirror.host}` });
    await pull(client);
    expect(events.filter(({ kind }) => kind === "warning")).not.toEqual([]);
  });

  test("a mirror that is not there is passed over, and then left alone", async () => {
    const port = await freePort();
    await using client = newClient({ address: `http://127.0.0.1:${port}` }, { address: mirror.host });
    await pull(client);
    await pull(client);
    expect(count(upstream)).toBe(0);
  });

  test("a blob that breaks off for good goes on at the next host, at the same byte", async () => {
    const [, big] = image.layers;
    mirror.rule = ({ path, headers }) => {
      if (big === undefined || !path.includes(big.digest)) return undefined;
      return { kind: "cut", afterBytes: headers.range === undefined ? 1_500_000 : 0 };
    };
    await using client = newClient({ address: mirror.host });
    await pull(client);
    expect(
      upstream.seen.filter(({ path }) => path.includes("/blobs/")).map(({ headers }) => headers.range),
    ).toEqual(["bytes=1500000-"]);
  });

  test("a mirror in trouble is not waited for as long as one may wait for the registry", async () => {
    const [, big] = image.layers;
    mirror.rule = ({ path }) =>
      big !== undefined && path.includes(big.digest)
        ? { kind: "cut", afterBytes: 0 }
        : { kind: "answer", status: 503 };
    await using client = new RegistryClient({
      hosts: createHostConfigs({
        mirrors: new Map([[upstream.host, [{ address: `http://${mirror.host}` }]]]),
      }),
      clock: new HastyClock(),
      retryTimeoutMs: 3_600_000,
    });
    await pull(client);
    const tries = new Map<string, number>();
    for (const { path } of mirror.seen) tries.set(path, (tries.get(path) ?? 0) + 1);
    // Two runs of tries for a blob: the first answers break off, the next is refused.
    expect(Math.max(...tries.values())).toBeLessThanOrEqual(20);
  });

  test("bytes that a mirror has wrong come from the registry", async () => {
    mirror.rule = ({ path }) =>
      path.includes("/blobs/")
        ? { kind: "tamper", change: (body) => Buffer.alloc(body.byteLength) }
        : undefined;
    await using client = newClient({ address: mirror.host });
    await expect(pull(client)).resolves.toBeUndefined();
  });

  test("a mirror for digests is not asked for tags", async () => {
    await using client = newClient({ address: mirror.host, pull: "digest-only" });
    await pull(client);
    expect(mirror.seen.some(({ path }) => path.includes("/manifests/"))).toBe(false);
    expect(mirror.seen.some(({ path }) => path.includes("/blobs/"))).toBe(true);
  });

  test("a mirror for tags is not asked for digests", async () => {
    await using client = newClient({ address: mirror.host, pull: "tag-only" });
    const repository = client.repository(reference());
    await repository.fetchManifest(image.manifest.digest);
    expect(count(mirror)).toBe(0);
    await repository.fetchManifest("1");
    expect(count(mirror)).toBe(1);
    expect(count(upstream)).toBe(1);
  });

  test("the registry's credentials do not go to the mirror", async () => {
    const asked: string[] = [];
    mirror.rule = ({ headers }) =>
      headers.authorization === undefined
        ? { kind: "answer", status: 401, headers: { "www-authenticate": 'Basic realm="x"' } }
        : undefined;
    await using client = new RegistryClient({
      hosts: createHostConfigs({ mirrors: new Map([[upstream.host, [{ address: mirror.host }]]]) }),
      credentials: {
        find: async ({ registry }) => {
          asked.push(registry);
          return registry === upstream.host
            ? { kind: "password", username: "u", password: "p", origin: "t" }
            : undefined;
        },
      },
    });
    await pull(client);
    expect(mirror.seen.every(({ headers }) => headers.authorization === undefined)).toBe(true);
    expect(asked).toContain(mirror.host);
  });

  test("an alias gives a short name to a registry, for reading and writing, and errors name that", async () => {
    const rules = parseRegistriesConf(`[aliases]\nshort = "${upstream.host}/team/long"\n`, "test");
    const newClient = () =>
      new RegistryClient({
        hosts: createHostConfigs({ readRules: () => Promise.resolve(rules) }),
        clock: new HastyClock(),
      });
    await using writer = newClient();
    const reference = parseReference("short:1");
    await pushImage(writer, { source: image.blobs, root: image.manifest, reference });
    await using reader = newClient();
    const sink = new MemoryBlobs();
    await pullImage(reader, { reference, sink });
    expect(sink.content.size).toBe(4);
    await using plain = new RegistryClient();
    const { config } = await fetchImageMetadata(plain, parseReference(`${upstream.host}/team/long:1`));
    expect(config.descriptor).toEqual(image.config);
    await expect(pullImage(reader, { reference: parseReference("short:none"), sink })).rejects.toThrow(
      `${upstream.host} answered 404`,
    );
  });

  test("a mirror of the containers tools' settings has its own names", async () => {
    const rules = parseRegistriesConf(
      `[[registry]]
prefix = "${upstream.host}/moved"
location = "${upstream.host}"
[[registry.mirror]]
location = "${mirror.host}/nowhere"
[[registry.mirror]]
location = "${mirror.host}"
`,
      "test",
    );
    await using client = new RegistryClient({
      hosts: createHostConfigs({ readRules: () => Promise.resolve(rules) }),
      clock: new HastyClock(),
    });
    const sink = new MemoryBlobs();
    await pullImage(client, { reference: parseReference(`${upstream.host}/moved/x:1`), sink });
    expect(sink.content.size).toBe(4);
    expect(count(upstream)).toBe(0);
    expect(new Set(mirror.seen.map(({ path }) => path.split("/")[2]))).toEqual(new Set(["", "nowhere", "x"]));
    await pushImage(client, {
      source: image.blobs,
      root: image.manifest,
      reference: parseReference(`${upstream.host}/moved/y:1`),
    });
    expect(upstream.seen.some(({ path }) => path.startsWith("/v2/y/manifests/1"))).toBe(true);
  });

  test("a blocked registry is not asked", async () => {
    const hosts = {
      find: async () => ({
        upstream: { host: upstream.host, protocol: "http" as const },
        blocked: "by the test",
      }),
    };
    await using client = new RegistryClient({ hosts });
    await expect(fetchImageMetadata(client, reference())).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringContaining("by the test"),
    });
    expect(upstream.seen).toEqual([]);
  });
});
