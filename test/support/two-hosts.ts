import { parseReference } from "../../src/oci/index.ts";
import { pushImage, RegistryClient } from "../../src/registry/index.ts";
import { startMemoryRegistry } from "./memory-registry.ts";
import type { makeImage } from "./registry-images.ts";
import { type FaultProxy, startProxy } from "./registry-proxy.ts";

/** A registry with an image at `x:1`, and another host to which it can send: both the same server, each behind a proxy. */
export async function startTwoHosts(
  image: ReturnType<typeof makeImage>,
): Promise<AsyncDisposable & { readonly registry: FaultProxy; readonly elsewhere: FaultProxy }> {
  const server = await startMemoryRegistry();
  const registry = await startProxy(server.host);
  const elsewhere = await startProxy(server.host);
  await using client = new RegistryClient();
  const reference = parseReference(`${server.host}/x:1`);
  await pushImage(client, { source: image.blobs, root: image.manifest, reference });
  return {
    registry,
    elsewhere,
    async [Symbol.asyncDispose]() {
      for (const open of [registry, elsewhere, server]) await open[Symbol.asyncDispose]();
    },
  };
}
