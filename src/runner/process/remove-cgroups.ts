import { readdirSync, rmdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { CONTAINER_NAME_PREFIX } from "../container-name.ts";

/** Removes a container's groups after its runtime was killed and could not do so itself. */
export function removeCgroups(folders: readonly string[], name: string): void {
  for (const folder of folders) removeGroup(join(folder, name));
}

/** A runtime that is older than this has put its first process into its groups. */
const STALE_MS = 60_000;

/** Removes the groups that containers of killed builds have left. One that still has processes stays: rmdir refuses it. */
export function removeStaleCgroups(folders: readonly string[], nowMs: number): void {
  for (const folder of folders) {
    for (const name of readdirSync(folder)) {
      if (!name.startsWith(CONTAINER_NAME_PREFIX)) continue;
      const stat = statSync(join(folder, name), { throwIfNoEntry: false });
      if (stat !== undefined && nowMs - stat.ctimeMs > STALE_MS) removeGroup(join(folder, name));
    }
  }
}

function removeGroup(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // never made, removed meanwhile, or still in use
  }
}
