import type { Collaborators, OnEvent } from "../../builder/index.ts";
import { createRegistryImages } from "../../builder/remote/index.ts";
import { hostPlatform, type Platform } from "../../oci/index.ts";
import type { CommandContext } from "../command.ts";
import { openCache } from "../open-cache.ts";
import { openStore } from "../open-store.ts";
import { openRegistry } from "../registry/open-registry.ts";

/** Everything a build works with, for this user. Disposing ends it; do so only after the build has. */
export async function openCollaborators(
  context: Pick<CommandContext, "settings" | "signal" | "now" | "nowMs">,
  onEvent: OnEvent,
): Promise<Collaborators & AsyncDisposable> {
  const { settings, now, nowMs } = context;
  const store = await openStore(context);
  const remote = createRegistryImages({
    open: (report) => openRegistry(settings, report),
    store,
    onEvent,
    nowMs,
  });
  let sandbox: Collaborators["sandbox"] | undefined;
  return {
    store,
    cache: await openCache(store),
    // Made when the first step really runs, which a build whose steps are cached never gets to.
    sandbox: {
      async run(spec, options) {
        const { createRuncSandbox } = await import("../../runner/index.ts");
        sandbox ??= createRuncSandbox({
          tempDir: store.tmpDir,
          memoryDir: store.memoryDir,
          searchPath: settings.searchPath,
        });
        return sandbox.run(spec, options);
      },
    },
    remote,
    environment: settings.variables,
    now,
    monotonic: nowMs,
    hostPlatforms: runnablePlatforms(hostPlatform()),
    async [Symbol.asyncDispose]() {
      remote[Symbol.dispose]();
      await store.close();
    },
  };
}

/** What this machine runs without emulation, its own platform first. */
function runnablePlatforms(host: Platform): Platform[] {
  return host.architecture === "amd64" ? [host, { os: "linux", architecture: "386" }] : [host];
}
