import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, normalize } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createHasher, type Descriptor, parseReference, verifyBlob } from "../../src/oci/index.ts";
import { pullImage, pushImage, RegistryClient } from "../../src/registry/index.ts";
import { hasCrane, startCraneRegistry } from "../support/crane-server.ts";
import { startMemoryRegistry } from "../support/memory-registry.ts";
import type { MemoryRegistryOptions } from "../support/memory-registry-rules.ts";
import { MemoryBlobs, makeImage, seededBytes } from "../support/registry-images.ts";
import { hasRegistry, startRegistry } from "../support/registry-server.ts";

interface Server extends AsyncDisposable {
  readonly host: string;
  /** What happened there, where it tells. */
  readonly seen?: readonly string[];
}

/** Debian's registry, whose blobs are fetched from a plain file server on another port. */
async function startRedirecting(): Promise<Server> {
  const seen: string[] = [];
  let root = "";
  const files = createServer((request, response) => {
    seen.push(`${request.method} file ${request.headers.authorization ?? "-"}`);
    const path = normalize(new URL(request.url ?? "/", "http://files").pathname);
    createReadStream(join(root, path))
      .on("error", () => response.writeHead(404).end())
      .pipe(response);
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => files.once("listening", resolve));
  const { port } = files.address() as AddressInfo;
  const middleware = `middleware: {storage: [{name: redirect, options: {baseurl: "http://localhost:${port}/"}}]}`;
  const registry = await startRegistry({ extra: middleware });
  root = registry.root;
  return {
    host: registry.host,
    seen,
    async [Symbol.asyncDispose]() {
      files.closeAllConnections();
      files.close();
      await registry[Symbol.asyncDispose]();
    },
  };
}

/** What blobs there are; a sink has verified that they are what they are called. */
function digests({ content }: MemoryBlobs): readonly string[] {
  return [...content.keys()].sort();
}

const MIB = 1024 * 1024;
const memory = (options: MemoryRegistryOptions) => () => startMemoryRegistry(options);
const SERVERS: readonly [string, boolean, () => Promise<Server>][] = [
  ["Debian's docker-registry", hasRegistry, () => startRegistry()],
  ["… with relative locations", hasRegistry, () => startRegistry({ http: ["relativeurls: true"] })],
  ["… with its blobs on another server", hasRegistry, startRedirecting],
  ["crane's registry", hasCrane, startCraneRegistry],
  ["a registry in memory", true, memory({})],
  [
    "a modern registry",
    true,
    memory({
      referrers: true,
      filters: true,
      pageSize: 2,
      broken: "keep",
      relative: true,
      deletesTags: true,
      monolithicPost: true,
    }),
  ],
  ["one with the referrers API in pages, but no filter", true, memory({ referrers: true, pageSize: 1 })],
  ["one that takes small requests only", true, memory({ maxRequestBytes: MIB })],
  [
    "one that answers pieces oddly",
    true,
    memory({ maxRequestBytes: MIB, chunkStatus: 201, chunkRange: "stale", relative: true }),
  ],
  [
    "one that tells nothing",
    true,
    memory({
      maxRequestBytes: MIB,
      chunkStatus: 204,
      chunkRange: "none",
      sessionStatus: false,
      ranges: false,
      mount: "refuse",
    }),
  ],
  ["one that wants large pieces", true, memory({ maxRequestBytes: MIB, minChunkBytes: MIB })],
  ["one that opens a session instead of mounting", true, memory({ mount: "session" })],
];

describe.each(SERVERS)("%s", (_name, available, start) => {
  describe.skipIf(!available)("(installed)", () => {
    let server: Server;
    beforeAll(async () => {
      server = await start();
    });
    afterAll(async () => await server?.[Symbol.asyncDispose]());
    const at = (name: string) => parseReference(`${server.host}/${name}`);

    test("gives back what was pushed, and is sent nothing twice", async () => {
      await using client = new RegistryClient();
      const image = makeImage({ layerSizes: [2_500_000, 70_000, 1] });
      const push = { source: image.blobs, root: image.manifest, reference: at("a/b:1") };
      expect((await pushImage(client, push)).blobs).toEqual({ uploaded: 4, mounted: 0, present: 0 });
      await using other = new RegistryClient();
      expect((await pushImage(other, push)).blobs).toEqual({ uploaded: 0, mounted: 0, present: 4 });
      const sink = new MemoryBlobs();
      const { manifest } = await pullImage(other, { reference: at("a/b:1"), sink });
      expect(manifest.descriptor).toEqual(image.manifest);
      expect(digests(sink)).toEqual(digests(image.blobs));
    });

    test("has a blob in another repository, by mounting or not", async () => {
      await using client = new RegistryClient();
      const image = makeImage({ layerSizes: [100_000] });
      for (const name of ["from:1", "to:1"])
        await pushImage(client, { source: image.blobs, root: image.manifest, reference: at(name) });
      const sink = new MemoryBlobs();
      await pullImage(client, { reference: at("to:1"), sink });
      expect(digests(sink)).toEqual(digests(image.blobs));
    });

    test("lists every tag once, and every repository", async () => {
      await using client = new RegistryClient();
      const image = makeImage({ layerSizes: [10] });
      const tags = ["1", "2", "3", "v4", "latest"];
      await pushImage(client, { source: image.blobs, root: image.manifest, reference: at("tagged:1"), tags });
      const found: string[] = [];
      for await (const page of client.repository(at("tagged")).listTags()) found.push(...page);
      expect(found.sort()).toEqual(tags.sort());
      const names: string[] = [];
      for await (const page of client.listRepositories(server.host)) names.push(...page);
      expect(names).toContain("tagged");
      expect(new Set(names).size).toBe(names.length);
    });

    test("finds what refers to an image", async () => {
      await using client = new RegistryClient();
      const subject = makeImage();
      await pushImage(client, { source: subject.blobs, root: subject.manifest, reference: at("subject:1") });
      const made = [0, 1, 0].map((type) =>
        makeImage({ subject: subject.manifest, artifactType: `application/x-${type}`, layerSizes: [10] }),
      );
      for (const { blobs, manifest } of made)
        await pushImage(client, { source: blobs, root: manifest, reference: at("subject") });
      const repository = client.repository(at("subject"));
      const found = async (artifactType?: string) => {
        const options = artifactType === undefined ? {} : { artifactType };
        return (await repository.listReferrers(subject.manifest.digest, options)).map(({ digest }) => digest);
      };
      expect((await found()).sort()).toEqual(made.map(({ manifest }) => manifest.digest).sort());
      expect(await found("application/x-1")).toEqual([made[1]?.manifest.digest]);
      expect(await found("application/x-2")).toEqual([]);
    });

    test("deletes a manifest once, and tells what is not there", async () => {
      await using client = new RegistryClient();
      const image = makeImage({ layerSizes: [10] });
      await pushImage(client, { source: image.blobs, root: image.manifest, reference: at("gone:1") });
      const repository = client.repository(at("gone"));
      expect(await repository.deleteManifest(image.manifest.digest)).toBe(true);
      expect(await repository.deleteManifest(image.manifest.digest)).toBe(false);
      await expect(repository.fetchManifest(image.manifest.digest)).rejects.toMatchObject({
        code: "MANIFEST_NOT_FOUND",
      });
      await expect(repository.openBlob(makeImage().config)).rejects.toMatchObject({ code: "BLOB_NOT_FOUND" });
      const nowhere = client.repository(at("never/was"));
      await expect(nowhere.fetchManifest("1")).rejects.toMatchObject({
        code: "MANIFEST_NOT_FOUND",
        // Some say that the name is unknown.
        errors: [expect.objectContaining({ code: expect.stringMatching(/^(MANIFEST|NAME)_UNKNOWN$/) })],
      });
      await expect(nowhere.listTags().next()).rejects.toMatchObject({
        code: "NOT_FOUND",
        errors: [expect.objectContaining({ code: "NAME_UNKNOWN" })],
      });
    });

    test("gives a blob from its middle on", async () => {
      await using client = new RegistryClient();
      const image = makeImage({ layerSizes: [1_500_000] });
      await pushImage(client, { source: image.blobs, root: image.manifest, reference: at("middle:1") });
      const layer = image.layers[0] as Descriptor;
      const chunks: Uint8Array[] = [];
      const rest = await client.repository(at("middle")).openBlob(layer, { offset: 1_234_567 });
      for await (const chunk of rest) chunks.push(chunk);
      const expected = Buffer.from(image.blobs.content.get(layer.digest) ?? Buffer.of()).subarray(1_234_567);
      expect(Buffer.compare(Buffer.concat(chunks), expected)).toBe(0);
    });
  });
});

test("a registry with its blobs on another server sees no credentials go there", async ({ skip }) => {
  if (!hasRegistry) skip("docker-registry is not installed");
  await using server = await startRedirecting();
  const password = { kind: "password", username: "u", password: "p", origin: "test" } as const;
  await using client = new RegistryClient({ credentials: { find: async () => password } });
  const image = makeImage({ layerSizes: [2_000_000] });
  const reference = parseReference(`${server.host}/x:1`);
  await pushImage(client, { source: image.blobs, root: image.manifest, reference });
  await pullImage(client, { reference, sink: new MemoryBlobs() });
  expect(server.seen).toContain("GET file -");
  expect(server.seen?.filter((line) => !line.endsWith(" -"))).toEqual([]);
});

test("blobs with sha512 digests are pushed and pulled", async () => {
  await using server = await startMemoryRegistry({ referrers: true });
  await using client = new RegistryClient();
  const repository = client.repository(parseReference(`${server.host}/long`));
  const bytes = seededBytes("sha512", 300_000);
  const hasher = createHasher("sha512");
  hasher.update(bytes);
  const descriptor = {
    mediaType: "application/octet-stream",
    digest: hasher.digest(),
    size: bytes.byteLength,
  };
  const open = async () =>
    (async function* () {
      yield bytes;
    })();
  expect(await repository.pushBlob(descriptor, open)).toEqual({ kind: "uploaded" });
  const chunks: Uint8Array[] = [];
  for await (const chunk of verifyBlob(await repository.openBlob(descriptor), descriptor)) chunks.push(chunk);
  expect(Buffer.compare(Buffer.concat(chunks), bytes)).toBe(0);
});

describe.skipIf(!hasRegistry)(
  "a registry that is only a cache of another (docker-registry installed)",
  () => {
    test("gives what the other has, and says that it takes no pushes", async () => {
      await using origin = await startRegistry();
      await using cache = await startRegistry({ extra: `proxy: {remoteurl: "http://${origin.host}"}` });
      await using client = new RegistryClient();
      const image = makeImage({ layerSizes: [2_000_000] });
      const push = (host: string) =>
        pushImage(client, {
          source: image.blobs,
          root: image.manifest,
          reference: parseReference(`${host}/x:1`),
        });
      await push(origin.host);
      const sink = new MemoryBlobs();
      await pullImage(client, { reference: parseReference(`${cache.host}/x:1`), sink });
      expect(digests(sink)).toEqual(digests(image.blobs));
      const other = makeImage();
      await expect(
        pushImage(client, {
          source: other.blobs,
          root: other.manifest,
          reference: parseReference(`${cache.host}/y:1`),
        }),
      ).rejects.toMatchObject({ code: "UNSUPPORTED", hint: expect.stringContaining("does not take pushes") });
    });

    test("that is read-only says so", async () => {
      await using server = await startRegistry({ storage: ["maintenance: {readonly: {enabled: true}}"] });
      await using client = new RegistryClient();
      const image = makeImage();
      const reference = parseReference(`${server.host}/x:1`);
      await expect(
        pushImage(client, { source: image.blobs, root: image.manifest, reference }),
      ).rejects.toMatchObject({ code: "UNSUPPORTED", status: 405 });
    });
  },
);
