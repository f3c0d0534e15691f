import { expect, test } from "vitest";
import { bytesOnce } from "../../../src/oci/bytes-once.ts";
import { digestOf, MEDIA_TYPES } from "../../../src/oci/index.ts";
import { RegistryClient } from "../../../src/registry/index.ts";
import { HastyClock } from "../../support/registry-clock.ts";
import { startProxy } from "../../support/registry-proxy.ts";

const TOO_MANY = {
  kind: "answer",
  status: 429,
  headers: {
    "retry-after": "3600",
    "ratelimit-limit": "100;w=21600",
    "docker-ratelimit-source": "192.0.2.1",
  },
} as const;

test("a limit that HEAD tells ends a push, with all that is known of it", async () => {
  await using registry = await startProxy();
  registry.rule = ({ path }) => (path === "/v2/" ? { kind: "answer", status: 200 } : TOO_MANY);
  await using client = new RegistryClient({ clock: new HastyClock() });
  const repository = client.repository({ registry: registry.host, repository: "a" });
  const content = Buffer.from("content");
  const descriptor = { mediaType: MEDIA_TYPES.ociLayer, digest: digestOf(content), size: content.byteLength };
  const told = {
    code: "RATE_LIMITED",
    status: 429,
    hint: expect.stringContaining("100 pulls in 6 h for 192.0.2.1"),
  };
  await expect(repository.pushBlob(descriptor, async () => bytesOnce(content))).rejects.toMatchObject(told);

  await using other = new RegistryClient({ clock: new HastyClock() });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      config: { ...descriptor, mediaType: MEDIA_TYPES.ociConfig },
      layers: [],
    }),
  );
  await expect(
    other
      .repository({ registry: registry.host, repository: "a" })
      .pushManifest(manifest, { mediaType: MEDIA_TYPES.ociManifest, tag: "1" }),
  ).rejects.toMatchObject(told);
  expect(registry.seen.filter(({ path }) => path !== "/v2/").map(({ method }) => method)).toEqual([
    "HEAD",
    "HEAD",
  ]);
});
