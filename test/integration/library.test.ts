import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  BuildCache,
  type BuildOptions,
  build,
  createRegistryImages,
  parsePlatform,
  type Sandbox,
  Store,
} from "../../src/index.ts";
import { RegistryClient } from "../../src/registry/index.ts";
import { plainBuild } from "../support/build-options.ts";
import { hasRegistry, startRegistry } from "../support/registry-server.ts";

const PLATFORMS = [parsePlatform("linux/amd64"), parsePlatform("linux/arm64")];

/** Nothing is run in these builds. */
const noSandbox: Sandbox = {
  run: async () => {
    throw new Error("nothing should run");
  },
};

describe.skipIf(!hasRegistry)(
  `build() as a library${hasRegistry ? "" : " (skipped: needs docker-registry)"}`,
  () => {
    it("pushes to a registry, and builds on what is there from an empty store", async () => {
      await using registry = await startRegistry();
      const folder = await mkdtemp(join(tmpdir(), "strake-library-"));
      try {
        await writeFile(join(folder, "file"), "content\n");
        const run = async (root: string, dockerfile: string, name: string) => {
          await using store = await Store.open(join(folder, root));
          const clients: RegistryClient[] = [];
          using remote = createRegistryImages({
            open: async (onEvent) => {
              const client = new RegistryClient({ onEvent });
              clients.push(client);
              return client;
            },
            store,
            onEvent: () => undefined,
            nowMs: () => performance.now(),
          });
          const options: BuildOptions = {
            ...plainBuild(dockerfile, folder),
            platforms: PLATFORMS,
            outputs: [{ kind: "image", names: [name], push: true }],
          };
          const result = await build(
            {
              store,
              cache: new BuildCache(join(store.root, "cache")),
              sandbox: noSandbox,
              remote,
              environment: {},
              now: Date.now,
              monotonic: () => performance.now(),
              hostPlatforms: [PLATFORMS[0] as (typeof PLATFORMS)[number]],
            },
            options,
          );
          expect(clients).toHaveLength(1);
          return result;
        };
        const base = `${registry.host}/base:1`;
        const first = await run("one", "FROM scratch\nARG TARGETARCH\nCOPY file /$TARGETARCH\n", base);
        expect(first.id).toBe(first.manifest?.digest);
        expect(first.images.map(({ platform }) => platform)).toEqual(PLATFORMS);

        const second = await run("two", `FROM ${base}\nLABEL a=b\n`, `${registry.host}/app:1`);
        const client = new RegistryClient();
        const app = client.repository({ registry: registry.host, repository: "app" });
        expect((await app.fetchManifest("1")).descriptor.digest).toBe(second.id);
        await client.close();
        expect(second.images[0]?.imageId).not.toBe(first.images[0]?.imageId);
        await using store = await Store.open(join(folder, "two"));
        // The base's layers were mounted, never fetched.
        for await (const { hasBlob, hasSnapshot, hasTar } of store.layers.list())
          expect([hasBlob, hasSnapshot, hasTar]).toEqual([false, false, false]);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
  },
);
