import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { bytesOnce } from "../../../src/oci/bytes-once.ts";
import { type Descriptor, digestOf, MEDIA_TYPES } from "../../../src/oci/index.ts";
import { RegistryClient } from "../../../src/registry/index.ts";
import { fallbackTag } from "../../../src/registry/manifests/referrers.ts";
import { startMemoryRegistry } from "../../support/memory-registry.ts";
import { HastyClock } from "../../support/registry-clock.ts";
import { json } from "../../support/registry-images.ts";
import { type Fault, type FaultProxy, type SeenRequest, startProxy } from "../../support/registry-proxy.ts";

let registry: FaultProxy;
let clock: HastyClock;
beforeAll(async () => {
  registry = await startProxy();
});
afterAll(async () => await registry[Symbol.asyncDispose]());
beforeEach(() => {
  registry.reset();
  clock = new HastyClock();
});

const SUBJECT = digestOf("subject");
const PATH = `/v2/a/referrers/${SUBJECT}`;
const FALLBACK = `/v2/a/manifests/${fallbackTag(SUBJECT)}`;
const referrer = (name: string, artifactType = "application/x"): Descriptor => ({
  mediaType: MEDIA_TYPES.ociManifest,
  digest: digestOf(name),
  size: 5,
  artifactType,
});
const index = (...manifests: Descriptor[]) => ({
  schemaVersion: 2,
  mediaType: MEDIA_TYPES.ociIndex,
  manifests,
});

function ok(body: unknown, headers: Record<string, string> = {}): Fault {
  return {
    kind: "answer",
    status: 200,
    headers: { "content-type": MEDIA_TYPES.ociIndex, ...headers },
    body: typeof body === "string" ? body : json(body).toString(),
  };
}

const rules = (table: Record<string, (request: SeenRequest) => Fault | undefined>) => {
  registry.rule = (request) => {
    if (request.path === "/v2/") return ok({});
    return table[request.path.replace(/\?.*/, "")]?.(request);
  };
};

const newClient = () => new RegistryClient({ clock });
const list = async (client: RegistryClient, artifactType?: string) => {
  const repository = client.repository({ registry: registry.host, repository: "a" });
  const found = await repository.listReferrers(SUBJECT, artifactType === undefined ? {} : { artifactType });
  return found.map(({ digest }) => digest);
};

describe("listReferrers()", () => {
  test("reads the API page by page", async () => {
    rules({
      [PATH]: ({ path }) =>
        path.includes("last=")
          ? ok(index(referrer("b"), referrer("a")))
          : ok(index(referrer("a")), { link: `<${PATH}?last=1>; rel="next"` }),
    });
    await using client = newClient();
    expect(await list(client)).toEqual([digestOf("a"), digestOf("b")]);
  });

  test("asks the registry itself for the next page, whatever host its link names", async () => {
    rules({
      [PATH]: ({ path }) =>
        path.includes("last=")
          ? ok(index(referrer("b")))
          : ok(index(referrer("a")), { link: `<https://inside.example${PATH}?last=1>; rel="next"` }),
    });
    await using client = newClient();
    expect(await list(client)).toEqual([digestOf("a"), digestOf("b")]);
  });

  test("filters what the registry did not", async () => {
    rules({ [PATH]: () => ok(index(referrer("a", "application/sig"), referrer("b", "application/sbom"))) });
    await using client = newClient();
    expect(await list(client, "application/sbom")).toEqual([digestOf("b")]);
    expect(registry.seen.some(({ path }) => path.endsWith("?artifactType=application%2Fsbom"))).toBe(true);
  });

  test.each<[string, Fault]>([
    ["404", { kind: "answer", status: 404 }],
    [
      "404 in plain text",
      { kind: "answer", status: 404, headers: { "content-type": "text/plain" }, body: "404 page not found" },
    ],
    ["405", { kind: "answer", status: 405 }],
    ["406", { kind: "answer", status: 406 }],
    [
      "a redirect to a page",
      { kind: "answer", status: 303, headers: { location: "https://registry.example/page" } },
    ],
    ["a page", { kind: "answer", status: 200, headers: { "content-type": "text/html" }, body: "<html>" }],
    ["JSON of another kind", { kind: "answer", status: 200, body: "{}" }],
  ])("uses the tag where the API answers %s, and asks the API no more for a while", async (_name, fault) => {
    rules({ [PATH]: () => fault, [FALLBACK]: () => ok(index(referrer("f"))) });
    await using client = newClient();
    expect(await list(client)).toEqual([digestOf("f")]);
    expect(await list(client)).toEqual([digestOf("f")]);
    const api = () => registry.seen.filter(({ path }) => path.startsWith(PATH)).length;
    expect(api()).toBe(1);
    clock.skip(301_000);
    await list(client);
    expect(api()).toBe(2);
  });

  test.each<[number, string]>([
    [401, "UNAUTHORIZED"],
    [403, "DENIED"],
    [500, "SERVER_FAILED"],
  ])("takes %i for an error, not for an answer", async (status, code) => {
    rules({ [PATH]: () => ({ kind: "answer", status, headers: { "www-authenticate": 'Basic realm="x"' } }) });
    await using client = newClient();
    await expect(list(client)).rejects.toMatchObject({ code });
  });

  test("is empty where there is neither", async () => {
    rules({});
    await using client = newClient();
    expect(await list(client)).toEqual([]);
  });
});

describe("pushManifest() with a subject", () => {
  const manifest = json({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    artifactType: "application/x",
    config: { mediaType: MEDIA_TYPES.ociEmpty, digest: digestOf("{}"), size: 2 },
    layers: [],
    subject: { mediaType: MEDIA_TYPES.ociManifest, digest: SUBJECT, size: 7 },
    annotations: { a: "b" },
  });
  const own = `/v2/a/manifests/${digestOf(manifest)}`;
  const push = async (client: RegistryClient) =>
    await client
      .repository({ registry: registry.host, repository: "a" })
      .pushManifest(manifest, { mediaType: MEDIA_TYPES.ociManifest });
  const created = (headers: Record<string, string> = {}): Fault => ({ kind: "answer", status: 201, headers });

  test("leaves the list to a registry that keeps it", async () => {
    rules({ [own]: () => created({ "oci-subject": SUBJECT }) });
    await using client = newClient();
    await push(client);
    expect(registry.seen.some(({ path }) => path === FALLBACK)).toBe(false);
  });

  test("gives up when its entry keeps vanishing", async () => {
    rules({
      [own]: () => created(),
      [FALLBACK]: ({ method }) => (method === "PUT" ? created() : { kind: "answer", status: 404 }),
    });
    await using client = newClient();
    await expect(push(client)).rejects.toMatchObject({
      code: "BAD_RESPONSE",
      message: expect.stringContaining("keeps losing it"),
    });
    expect(registry.seen.filter(({ path, method }) => path === FALLBACK && method === "PUT")).toHaveLength(5);
  });
});

describe("where writers of one index meet", () => {
  const EMPTY = { mediaType: MEDIA_TYPES.ociEmpty, digest: digestOf("{}"), size: 2 };
  const artifact = (note: string) =>
    json({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      artifactType: "application/x",
      config: EMPTY,
      layers: [],
      subject: { mediaType: MEDIA_TYPES.ociManifest, digest: SUBJECT, size: 7 },
      annotations: { note },
    });

  test("nobody's entry is lost if the registry heeds If-Match", async () => {
    const between: (() => Promise<void>)[] = [];
    await using server = await startMemoryRegistry({
      versions: true,
      beforePut: async (name) => {
        if (name === fallbackTag(SUBJECT)) await between.shift()?.();
      },
    });
    const push = async (note: string) => {
      await using client = newClient();
      const repository = client.repository({ registry: server.host, repository: "a" });
      await repository.writeBlob(EMPTY, async () => bytesOnce(Buffer.from("{}")));
      await repository.pushManifest(artifact(note), { mediaType: MEDIA_TYPES.ociManifest });
    };
    // Before there is an index there is nothing to be true to.
    await push("first");
    between.push(() => push("between"));
    await push("last");
    await using client = newClient();
    const found = await client.repository({ registry: server.host, repository: "a" }).listReferrers(SUBJECT);
    expect(found.map(({ annotations }) => annotations?.["note"]).sort()).toEqual([
      "between",
      "first",
      "last",
    ]);
  });

  test("a mark that fits nothing is left out", async () => {
    const conditions: unknown[] = [];
    let hasEntry = false;
    const bytes = artifact("x");
    rules({
      [`/v2/a/manifests/${digestOf(bytes)}`]: () => ({ kind: "answer", status: 201 }),
      [FALLBACK]: ({ method, headers }) => {
        if (method !== "PUT")
          return ok(
            hasEntry ? index(referrer("a"), { ...EMPTY, digest: digestOf(bytes) }) : index(referrer("a")),
            {
              etag: '"of a cache"',
            },
          );
        conditions.push(headers["if-match"]);
        if (headers["if-match"] !== undefined) return { kind: "answer", status: 412 };
        hasEntry = true;
        return { kind: "answer", status: 201 };
      },
    });
    await using client = newClient();
    await client
      .repository({ registry: registry.host, repository: "a" })
      .pushManifest(bytes, { mediaType: MEDIA_TYPES.ociManifest });
    expect(conditions).toEqual(['"of a cache"', undefined]);
  });
});

test("fallbackTag() is the tag that the specification gives", () => {
  expect(fallbackTag(SUBJECT)).toBe(`sha256-${SUBJECT.slice(7)}`);
  expect(fallbackTag(`sha512:${"a".repeat(128)}` as typeof SUBJECT)).toBe(`sha512-${"a".repeat(64)}`);
});
