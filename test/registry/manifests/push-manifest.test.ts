import { expect, test } from "vitest";
import { bytesOnce } from "../../../src/oci/bytes-once.ts";
import { digestOf, MEDIA_TYPES } from "../../../src/oci/index.ts";
import { RegistryClient } from "../../../src/registry/index.ts";
import { startMemoryRegistry } from "../../support/memory-registry.ts";
import { json } from "../../support/registry-images.ts";

test("a manifest of a size that not everybody takes is warned of, and pushed", async () => {
  await using server = await startMemoryRegistry();
  const warnings: string[] = [];
  await using client = new RegistryClient({
    onEvent: (event) => void (event.kind === "warning" && warnings.push(event.text)),
  });
  const repository = client.repository({ registry: server.host, repository: "a" });
  const config = { mediaType: MEDIA_TYPES.ociEmpty, digest: digestOf("{}"), size: 2 };
  await repository.writeBlob(config, async () => bytesOnce(Buffer.from("{}")));
  const manifest = (length: number) =>
    json({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      config,
      layers: [],
      annotations: { long: "x".repeat(length) },
    });
  const options = { mediaType: MEDIA_TYPES.ociManifest, tag: "1" };
  await repository.pushManifest(manifest(10), options);
  expect(warnings).toEqual([]);
  const { digest } = await repository.pushManifest(manifest(4 * 1024 * 1024), options);
  expect(warnings).toEqual([
    expect.stringContaining("many registries and clients take no more than 4194304"),
  ]);
  expect((await repository.fetchManifest("1")).descriptor.digest).toBe(digest);
});
