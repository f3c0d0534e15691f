import type { Store } from "../store/index.ts";
import type { CommandContext } from "./command.ts";

/** Opens this user's store; whoever calls disposes of it. The store's code is loaded only here. */
export async function openStore({
  settings,
  signal,
}: Pick<CommandContext, "settings" | "signal">): Promise<Store> {
  const { Store } = await import("../store/index.ts");
  const runtimeDir = settings.variables["XDG_RUNTIME_DIR"];
  const memoryRoots = ["/dev/shm", ...(runtimeDir?.startsWith("/") ? [runtimeDir] : [])];
  return Store.open(settings.storeRoot, { signal, memoryRoots, searchPath: settings.searchPath });
}
