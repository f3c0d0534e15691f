import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { parseReference } from "../../src/oci/index.ts";
import { pullImage, RegistryClient } from "../../src/registry/index.ts";
import { HastyClock } from "../support/registry-clock.ts";
import { MemoryBlobs, makeImage } from "../support/registry-images.ts";
import type { Fault, FaultProxy, SeenRequest } from "../support/registry-proxy.ts";
import { startTwoHosts } from "../support/two-hosts.ts";

const SECRET = "s3cret-password";
const BASIC = `Basic ${Buffer.from(`user:${SECRET}`).toString("base64")}`;

describe("a host that a registry sends us to, and that wants a token", () => {
  let registry: FaultProxy;
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

  let token = "guest-1";
  let grants = true;
  beforeEach(() => {
    registry.reset();
    elsewhere.reset();
    token = "guest-1";
    grants = true;
    elsewhere.rule = ({ path, headers }) => {
      if (path.startsWith("/token"))
        return grants ? answer(200, {}, JSON.stringify({ token })) : answer(403, {});
      if (headers.authorization === `Bearer ${token}`) return undefined;
      const challenge = `Bearer realm="http://${elsewhere.host}/token",service="storage",scope="repository:s:pull"`;
      return answer(401, { "www-authenticate": challenge });
    };
  });

  const answer = (status: number, headers: Record<string, string>, body = ""): Fault => ({
    kind: "answer",
    status,
    headers,
    body,
  });
  /** The registry wants a password, and then does what the case says. */
  const behave = (then: (request: SeenRequest) => Fault | undefined): void => {
    registry.rule = (request) =>
      request.headers.authorization === BASIC
        ? then(request)
        : answer(401, { "www-authenticate": 'Basic realm="x"' });
  };
  const sendsBlobsAway = (request: SeenRequest): Fault | undefined =>
    request.method === "GET" && request.path.includes("/blobs/")
      ? answer(307, { location: `http://${elsewhere.host}${request.path}` })
      : undefined;
  const newClient = () =>
    new RegistryClient({
      clock: new HastyClock(),
      retry: { maxAttempts: 3 },
      credentials: {
        // Whoever is asked for: a password that must not be used is there for the other host as well.
        find: async () => ({ kind: "password", username: "user", password: SECRET, origin: "the test" }),
      },
    });
  const reference = (name = "x:1") => parseReference(`${registry.host}/${name}`);
  const leaks = () =>
    elsewhere.seen.filter(({ headers, path }) =>
      /Basic|account=|user/.test(`${headers.authorization} ${path}`),
    );
  const tokenCalls = () => elsewhere.seen.filter(({ path }) => path.startsWith("/token"));

  test("gets an anonymous one, where it is a redirect's target", async () => {
    behave(sendsBlobsAway);
    await using client = newClient();
    const sink = new MemoryBlobs();
    expect((await pullImage(client, { reference: reference(), sink })).root).toEqual(image.manifest);
    expect(leaks()).toEqual([]);
    expect(tokenCalls().length).toBeGreaterThan(0);
    for (const { path, headers } of tokenCalls()) {
      expect(path).toBe("/token?service=storage&scope=repository%3As%3Apull");
      expect(headers.authorization).toBeUndefined();
    }
    // The token is for that host alone.
    expect(registry.seen.some(({ headers }) => headers.authorization?.includes("guest") === true)).toBe(
      false,
    );
  });

  test("gets an anonymous one, where it takes uploads, and at once the next time", async () => {
    behave(({ method }) =>
      method === "POST"
        ? { kind: "location", change: (text) => text.replace(registry.host, elsewhere.host) }
        : undefined,
    );
    await using client = newClient();
    const repository = client.repository(reference("up:1"));
    const other = makeImage({ layerSizes: [70_000, 80_000] });
    for (const layer of other.layers)
      await repository.pushBlob(layer, ({ offset }) => other.blobs.openBlob(layer, { offset }));
    expect(leaks()).toEqual([]);
    expect(tokenCalls()).toHaveLength(1);
    const puts = elsewhere.seen.filter(({ method }) => method === "PUT");
    expect(puts.map(({ headers }) => headers.authorization)).toEqual([
      undefined,
      "Bearer guest-1",
      "Bearer guest-1",
    ]);
  });

  test("that refuses its own token gets one new one", async () => {
    behave(({ method }) =>
      method === "POST"
        ? { kind: "location", change: (text) => text.replace(registry.host, elsewhere.host) }
        : undefined,
    );
    await using client = newClient();
    const repository = client.repository(reference("again:1"));
    const { blobs, layers } = makeImage({ layerSizes: [71_000, 81_000] });
    for (const layer of layers) {
      await repository.pushBlob(layer, ({ offset }) => blobs.openBlob(layer, { offset }));
      token = "guest-2";
    }
    expect(tokenCalls()).toHaveLength(2);
    expect(leaks()).toEqual([]);
  });

  test("that gives guests none ends the pull, with nothing of ours told", async () => {
    grants = false;
    behave(sendsBlobsAway);
    await using client = newClient();
    const pulling = pullImage(client, { reference: reference(), sink: new MemoryBlobs() });
    await expect(pulling).rejects.toMatchObject({
      code: "UNAUTHORIZED",
      status: 401,
      message: expect.stringContaining(`: ${elsewhere.host} answered 401`),
      hint: expect.stringContaining(`${registry.host} sends to ${elsewhere.host} for this, which refuses`),
    });
    expect(leaks()).toEqual([]);
  });
});
