import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Descriptor, parseReference } from "../../src/oci/index.ts";
import { pullImage, pushImage, RegistryClient } from "../../src/registry/index.ts";
import { Store } from "../../src/store/index.ts";
import { makeImage } from "../support/registry-images.ts";
import { startProxy } from "../support/registry-proxy.ts";
import { hasRegistry, startRegistry } from "../support/registry-server.ts";

test.skipIf(!hasRegistry)(
  "a pull that was stopped goes on where it was, in another run (docker-registry installed)",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "strake-resume-"));
    try {
      await using server = await startRegistry();
      await using proxy = await startProxy(server.host);
      const image = makeImage({ layerSizes: [6_000_000] });
      const layer = image.layers[0] as Descriptor;
      await using setup = new RegistryClient();
      await pushImage(setup, {
        source: image.blobs,
        root: image.manifest,
        reference: parseReference(`${server.host}/x:1`),
      });
      const reference = parseReference(`${proxy.host}/x:1`);
      {
        const controller = new AbortController();
        await using store = await Store.open(folder);
        await using client = new RegistryClient({
          onEvent: (event) => {
            if (event.kind === "blob-bytes" && event.done > 2_500_000) controller.abort(new Error("stopped"));
          },
        });
        const pulling = pullImage(client, { reference, sink: store.blobs, signal: controller.signal });
        await expect(pulling).rejects.toThrow("stopped");
      }
      proxy.seen.length = 0;
      await using store = await Store.open(folder);
      await using client = new RegistryClient();
      await pullImage(client, { reference, sink: store.blobs });
      const ranges = proxy.seen
        .filter(({ path }) => path.includes(layer.digest))
        .map(({ headers }) => headers.range);
      expect(ranges).toEqual([expect.stringMatching(/^bytes=[1-9]\d{5,6}-$/)]);
      const chunks: Uint8Array[] = [];
      for await (const chunk of await store.blobs.openBlob(layer)) chunks.push(chunk);
      expect(
        Buffer.compare(Buffer.concat(chunks), image.blobs.content.get(layer.digest) ?? Buffer.of()),
      ).toBe(0);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);
