import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { digestOf, parsePlatform, parseReference } from "../../src/oci/index.ts";
import {
  fetchImageMetadata,
  pullImage,
  pushArtifact,
  pushImage,
  RegistryClient,
  type RegistryEvent,
} from "../../src/registry/index.ts";
import { MemoryBlobs, makeImage, makeIndex } from "../support/registry-images.ts";
import { hasRegistry, type RegistryServer, startRegistry } from "../support/registry-server.ts";

describe.skipIf(!hasRegistry)("against a real registry (docker-registry installed)", () => {
  let server: RegistryServer;
  beforeAll(async () => {
    server = await startRegistry();
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
  });

  const reference = (name: string) => parseReference(`${server.host}/${name}`);

  test("what was pushed comes back the same", async () => {
    await using client = new RegistryClient();
    const image = makeImage({ layerSizes: [0, 1, 70_000, 3_000_000] });
    const pushed = await pushImage(client, {
      source: image.blobs,
      root: image.manifest,
      reference: reference("a/b:1"),
    });
    expect(pushed).toMatchObject({
      descriptor: image.manifest,
      tags: ["1"],
      blobs: { uploaded: 5, mounted: 0, present: 0 },
    });
    const sink = new MemoryBlobs();
    const pulled = await pullImage(client, { reference: reference("a/b:1"), sink });
    expect(pulled.manifest.descriptor).toEqual(image.manifest);
    expect(pulled.root).toEqual(image.manifest);
    for (const [digest, bytes] of image.blobs.content)
      expect(Buffer.compare(sink.content.get(digest) ?? Buffer.of(), bytes)).toBe(0);
  });

  test("a second push sends nothing, one to another repository mounts", async () => {
    const events: RegistryEvent[] = [];
    await using client = new RegistryClient({ onEvent: (event) => events.push(event) });
    const image = makeImage();
    const push = (name: string) =>
      pushImage(client, { source: image.blobs, root: image.manifest, reference: reference(name) });
    expect((await push("mount/one:1")).blobs).toEqual({ uploaded: 3, mounted: 0, present: 0 });
    expect((await push("mount/one:2")).blobs).toEqual({ uploaded: 0, mounted: 0, present: 3 });
    expect((await push("mount/two:1")).blobs).toEqual({ uploaded: 0, mounted: 3, present: 0 });
    expect(events.filter(({ kind }) => kind === "blob-mounted")).toHaveLength(3);
    await using other = new RegistryClient();
    const mountFrom = () => [
      `${server.host}/mount/nowhere`,
      `${server.host}/mount/one`,
      "elsewhere.example/mount/one",
    ];
    const options = {
      source: image.blobs,
      root: image.manifest,
      reference: reference("other/x:1"),
      mountFrom,
    };
    const { blobs } = await pushImage(other, options);
    // Small blobs get one candidate only, the one of the longest common path; that one does not exist.
    expect(blobs.mounted + blobs.uploaded).toBe(3);
  });

  test("a manifest is looked for only where all that it lists was there", async () => {
    const image = makeImage({ seed: "looked for" });
    const push = async (): Promise<readonly string[]> => {
      const requests: string[] = [];
      await using client = new RegistryClient({
        onEvent: (event) => {
          if (event.kind === "request" && event.url.includes("/manifests/"))
            requests.push(`${event.method} ${event.status}`);
        },
      });
      await pushImage(client, {
        source: image.blobs,
        root: image.manifest,
        reference: reference("looked/for:1"),
      });
      return requests;
    };
    expect(await push()).toEqual(["PUT 201"]);
    expect(await push()).toEqual(["HEAD 200"]);
  });

  test("an index is pushed whole and pulled for one platform", async () => {
    await using client = new RegistryClient();
    const { blobs, index } = makeIndex(["amd64", "arm64"]);
    await pushImage(client, {
      source: blobs,
      root: index,
      reference: reference("multi:latest"),
      tags: ["v1", "latest"],
    });
    const metadata = await fetchImageMetadata(client, reference("multi"), {
      platform: parsePlatform("linux/arm64"),
    });
    expect(metadata.root).toEqual(index);
    expect(metadata.platform).toEqual({ os: "linux", architecture: "arm64" });
    expect(digestOf(metadata.manifest.bytes)).toBe(metadata.manifest.descriptor.digest);
    await expect(
      fetchImageMetadata(client, reference("multi:v1"), { platform: parsePlatform("linux/s390x") }),
    ).rejects.toMatchObject({
      code: "NO_SUCH_PLATFORM",
      hint: "The image is there for linux/amd64, linux/arm64",
    });
  });

  test("what is missing is told apart", async () => {
    await using client = new RegistryClient();
    const repository = client.repository(reference("nothing/here"));
    await expect(repository.fetchManifest("1")).rejects.toMatchObject({
      code: "MANIFEST_NOT_FOUND",
      status: 404,
      errors: [expect.objectContaining({ code: "MANIFEST_UNKNOWN" })],
    });
    const blob = makeImage().config;
    await expect(repository.openBlob(blob)).rejects.toMatchObject({ code: "BLOB_NOT_FOUND" });
  });

  test("tags are listed and deleted", async () => {
    await using client = new RegistryClient();
    const image = makeImage();
    await pushImage(client, {
      source: image.blobs,
      root: image.manifest,
      reference: reference("tags:b"),
      tags: ["a"],
    });
    const repository = client.repository(reference("tags"));
    const list = async () => {
      const tags: string[] = [];
      for await (const page of repository.listTags()) tags.push(...page);
      return tags.sort();
    };
    expect(await list()).toEqual(["a", "b"]);
    // This registry's version deletes by digest only, and says so in a way that needs knowing.
    await expect(repository.deleteManifest("a")).rejects.toMatchObject({ code: "UNSUPPORTED" });
    expect(await repository.deleteManifest(image.manifest.digest)).toBe(true);
    expect(await repository.deleteManifest(image.manifest.digest)).toBe(false);
    expect(await list()).toEqual([]);
  });

  test("repositories are listed", async () => {
    await using client = new RegistryClient();
    const image = makeImage();
    await pushImage(client, {
      source: image.blobs,
      root: image.manifest,
      reference: reference("cat/alog:1"),
    });
    const found: string[] = [];
    for await (const page of client.listRepositories(server.host)) found.push(...page);
    expect(found).toContain("cat/alog");
  });

  test("referrers are found by the fallback tag, also when many are pushed at once", async () => {
    await using client = new RegistryClient();
    const subject = makeImage();
    await pushImage(client, { source: subject.blobs, root: subject.manifest, reference: reference("ref:1") });
    const referrers = Array.from({ length: 5 }, (_, i) =>
      makeImage({ subject: subject.manifest, artifactType: `application/x-${i % 2}`, layerSizes: [10] }),
    );
    await Promise.all(
      referrers.map(({ blobs, manifest }) =>
        pushImage(client, { source: blobs, root: manifest, reference: reference("ref") }),
      ),
    );
    const repository = client.repository(reference("ref"));
    const found = await repository.listReferrers(subject.manifest.digest);
    expect(found.map(({ digest }) => digest).sort()).toEqual(
      referrers.map(({ manifest }) => manifest.digest).sort(),
    );
    const some = await repository.listReferrers(subject.manifest.digest, { artifactType: "application/x-1" });
    expect(some).toHaveLength(2);
    const [first] = referrers;
    if (first === undefined) throw new Error("unreachable");
    await repository.deleteManifest(first.manifest.digest);
    expect(await repository.listReferrers(subject.manifest.digest)).toHaveLength(4);
  });

  test("an artifact is pushed, found through its subject, and read back", async () => {
    await using client = new RegistryClient();
    const image = makeImage();
    await pushImage(client, { source: image.blobs, root: image.manifest, reference: reference("art:1") });
    const sbom = Buffer.from('{"sbom":true}');
    const descriptor = { mediaType: "application/json", digest: digestOf(sbom), size: sbom.byteLength };
    const artifactType = "application/vnd.example.sbom";
    const open = async () =>
      (async function* () {
        yield sbom;
      })();
    const pushed = await pushArtifact(client, {
      reference: reference("art"),
      artifactType,
      files: [{ title: "sbom.json", descriptor, open }],
      subject: image.manifest,
      annotations: { a: "b" },
    });
    const empty = await pushArtifact(client, {
      reference: reference("art:nothing"),
      artifactType,
      files: [],
    });
    const repository = client.repository(reference("art"));
    expect(await repository.listReferrers(image.manifest.digest, { artifactType })).toEqual([
      { ...pushed, annotations: { a: "b" } },
    ]);
    const document = await repository.fetchManifest(pushed.digest);
    if (document.kind !== "manifest") throw new Error("unreachable");
    expect(document.manifest).toMatchObject({
      artifactType,
      subject: image.manifest,
      layers: [{ ...descriptor, annotations: { "org.opencontainers.image.title": "sbom.json" } }],
    });
    await expect(fetchImageMetadata(client, reference("art:nothing"))).rejects.toMatchObject({
      code: "DOCUMENT_INVALID",
      message: expect.stringContaining(`an artifact of type "${artifactType}"`),
    });
    expect((await repository.fetchManifest("nothing")).descriptor).toEqual(empty);
  });

  test("many blobs are copied within a registry at once without waiting for each other", async () => {
    await using client = new RegistryClient();
    const images = Array.from({ length: 20 }, () => makeImage({ layerSizes: [50_000] }));
    await Promise.all(
      images.map(({ blobs, manifest }) =>
        pushImage(client, { source: blobs, root: manifest, reference: reference("many") }),
      ),
    );
    const from = client.repository(reference("many"));
    await using second = new RegistryClient();
    const to = second.repository(reference("more"));
    const results = await Promise.all(
      images.map(({ layers: [layer] }) =>
        layer === undefined
          ? undefined
          : to.pushBlob(layer, (at) =>
              second.repository({ registry: from.registry, repository: from.name }).openBlob(layer, at),
            ),
      ),
    );
    expect(results.map((result) => result?.kind)).toEqual(images.map(() => "uploaded"));
  });

  test("an aborted pull ends with the reason given, and leaves no connection", async () => {
    const image = makeImage({ layerSizes: Array.from({ length: 8 }, () => 4_000_000) });
    await using setup = new RegistryClient();
    await pushImage(setup, { source: image.blobs, root: image.manifest, reference: reference("abort:1") });
    setup.close();
    const sockets = () => process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;
    const before = sockets();
    const controller = new AbortController();
    const client = new RegistryClient({
      onEvent: (event) => {
        if (event.kind === "blob-bytes") controller.abort(new Error("enough"));
      },
    });
    const sink = new MemoryBlobs();
    const pulling = pullImage(client, { reference: reference("abort:1"), sink, signal: controller.signal });
    await expect(pulling).rejects.toThrow("enough");
    expect(sink.content.has(image.manifest.digest)).toBe(false);
    client.close();
    await expect.poll(sockets, { timeout: 5000 }).toBeLessThanOrEqual(before);
  });

  test("pulls and pushes can be aborted at any moment", async () => {
    const image = makeImage({ layerSizes: [10, 300_000, 2_000_000] });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 45 }), fc.nat(), async (moment, name) => {
        const controller = new AbortController();
        let events = 0;
        await using client = new RegistryClient({
          onEvent: () => {
            if (++events === moment) controller.abort(new Error("enough"));
          },
        });
        const { signal } = controller;
        const to = reference(`any/${name}:1`);
        const work = async () => {
          await pushImage(client, { source: image.blobs, root: image.manifest, reference: to, signal });
          await pullImage(client, { reference: to, sink: new MemoryBlobs(), signal });
        };
        const outcome = await work().then(
          () => "done",
          (error: unknown) => (error as Error).message,
        );
        expect(outcome).toMatch(controller.signal.aborted ? /^(enough|done)$/ : /^done$/);
      }),
      { numRuns: 40 },
    );
  });
});
