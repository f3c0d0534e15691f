import { afterAll, beforeAll, describe } from "vitest";
import { RegistryClient } from "../../src/registry/index.ts";
import { describeBlobs } from "../oci/blob-contract.ts";
import { MemoryBlobs } from "../support/registry-images.ts";
import { hasRegistry, type RegistryServer, startRegistry } from "../support/registry-server.ts";

describeBlobs("the tests' own MemoryBlobs", async () => new MemoryBlobs());

describe.skipIf(!hasRegistry)("with a real registry (docker-registry installed)", () => {
  let server: RegistryServer;
  let client: RegistryClient;
  let count = 0;
  beforeAll(async () => {
    server = await startRegistry();
    client = new RegistryClient();
  });
  afterAll(async () => {
    client?.close();
    await server?.[Symbol.asyncDispose]();
  });

  describeBlobs("a repository", async () =>
    client.repository({ registry: server.host, repository: `contract/${count++}` }),
  );
});
