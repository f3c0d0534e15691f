import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { parseReference } from "../../src/oci/index.ts";
import { fetchImageMetadata, pullImage, pushImage, RegistryClient } from "../../src/registry/index.ts";
import { startMemoryRegistry } from "../support/memory-registry.ts";
import { HastyClock } from "../support/registry-clock.ts";
import { MemoryBlobs, makeImage } from "../support/registry-images.ts";
import { type FaultProxy, type SeenRequest, startProxy } from "../support/registry-proxy.ts";

/** A registry takes only the token that was given out last; any request can end its time. */
describe("a token that ends in the middle", () => {
  let issuer: FaultProxy;
  let registry: FaultProxy;
  let server: AsyncDisposable;
  let given = 0;
  /** More of what a token comes with. */
  let extra: object = {};
  let clock: HastyClock;

  beforeAll(async () => {
    const memory = await startMemoryRegistry({ pageSize: 2 });
    server = memory;
    registry = await startProxy(memory.host);
    issuer = await startProxy();
  });
  afterAll(async () => {
    for (const open of [registry, issuer, server]) await open?.[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    clock = new HastyClock();
    given = 0;
    extra = {};
    issuer.reset();
    registry.reset();
    issuer.rule = () => {
      given++;
      return {
        kind: "answer",
        status: 200,
        body: JSON.stringify({ token: `token-${given}`, expires_in: 300, ...extra }),
      };
    };
    endAt(() => false);
  });

  /** The token is over at the request that this picks, however often. */
  function endAt(picks: (request: SeenRequest) => boolean): void {
    registry.rule = (request) => {
      if (request.path === "/v2/") return { kind: "answer", status: 200 };
      const isGood = request.headers.authorization === `Bearer token-${given}` && given > 0;
      // Large blobs go in pieces, so that tokens can end between these.
      if (isGood && !picks(request))
        return Number(request.headers["content-length"] ?? 0) > 300_000
          ? { kind: "answer", status: 413, headers: { connection: "close" } }
          : undefined;
      const error = request.headers.authorization === undefined ? "" : ',error="invalid_token"';
      const challenge = `Bearer realm="http://${issuer.host}/token",service="s"${error}`;
      return { kind: "answer", status: 401, headers: { "www-authenticate": challenge, connection: "close" } };
    };
  }
  const newClient = () => new RegistryClient({ clock });
  const at = (name: string) => parseReference(`${registry.host}/${name}`);
  const push = async (client: RegistryClient, name: string) => {
    const image = makeImage({ layerSizes: [700_000] });
    await pushImage(client, { source: image.blobs, root: image.manifest, reference: at(name) });
    return image;
  };
  /** What has come back whole, by a client that has nothing to fear. */
  const pullBack = async (name: string) => {
    endAt(() => false);
    const sink = new MemoryBlobs();
    await using client = newClient();
    await pullImage(client, { reference: at(name), sink });
    return [...sink.content.keys()].sort();
  };

  test.each<[string, (request: SeenRequest) => boolean]>([
    ["the first piece of a blob", ({ method }) => method === "PATCH"],
    [
      "a later piece",
      ({ method, headers }) => method === "PATCH" && headers["content-range"]?.startsWith("262144-") === true,
    ],
    ["the end of a blob", ({ method, path }) => method === "PUT" && path.includes("/uploads/")],
    ["the manifest", ({ method, path }) => method === "PUT" && path.includes("/manifests/")],
  ])("at %s is replaced once, and the push goes on", async (what, is) => {
    let ends = 1;
    endAt((request) => is(request) && ends-- > 0);
    await using client = newClient();
    const image = await push(client, "mid:1");
    expect(ends, what).toBeLessThan(1);
    expect(given).toBe(2);
    expect(await pullBack("mid:1")).toEqual([...image.blobs.content.keys()].sort());
  });

  test("at the third page of tags is replaced once, and no tag is missed", async () => {
    await using client = newClient();
    const tags = ["1", "2", "3", "4", "5", "6", "7"];
    const image = makeImage({ layerSizes: [10] });
    for (const tag of tags)
      await pushImage(client, { source: image.blobs, root: image.manifest, reference: at(`paged:${tag}`) });
    await using other = newClient();
    const before = given;
    let ends = 1;
    endAt(({ path }) => path.includes("/tags/list") && path.includes("from=4") && ends-- > 0);
    const found: string[] = [];
    for await (const page of other.repository(at("paged")).listTags()) found.push(...page);
    expect(found).toEqual(tags);
    expect(given - before).toBe(2);
  });

  test.each(["PATCH", "PUT"])("at every %s ends in one error, after one new token", async (method) => {
    endAt((request) => request.method === method);
    await using client = newClient();
    await expect(push(client, "never:1")).rejects.toMatchObject({ code: "UNAUTHORIZED", status: 401 });
    // Two blobs are sent side by side, and each may learn it for itself.
    expect(given).toBeLessThanOrEqual(4);
    expect(clock.waits.filter((waitMs) => waitMs > 0)).toEqual([]);
  });

  test.each([-1, 1])("by a clock that is %i days off is used for its time by our own", async (days) => {
    const issued = new Date(Date.now() + days * 86_400_000).toISOString();
    await using client = newClient();
    await push(client, "skew:1");
    given = 0;
    extra = { issued_at: issued };
    await using other = newClient();
    for (let times = 0; times < 3; times++) await fetchImageMetadata(other, at("skew:1"));
    expect(given).toBe(1);
    clock.skip(300_000);
    await fetchImageMetadata(other, at("skew:1"));
    expect(given).toBe(2);
  });
});
