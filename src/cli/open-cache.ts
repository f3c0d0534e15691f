import type { BuildCache } from "../cache/index.ts";
import type { Store } from "../store/index.ts";

/** The build cache of a store. */
export async function openCache(store: Store): Promise<BuildCache> {
  const [{ BuildCache }, { join }] = await Promise.all([import("../cache/index.ts"), import("node:path")]);
  return new BuildCache(join(store.root, "cache"));
}
