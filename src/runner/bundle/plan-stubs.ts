import type { Stats } from "node:fs";
import { type Place, resolvePath } from "./resolve-path.ts";

export interface MountTarget {
  /** Absolute, in the container. */
  readonly path: string;
  readonly kind: "dir" | "file";
  /** Of the folder, if it has to be made; 0755 when absent. */
  readonly mode?: number;
}

/** One entry of the stub layer; `like` is the folder whose owner, mode and times it must show. */
export interface Stub {
  /** Relative to the root, without leading slash; "" for the root. */
  readonly path: string;
  readonly kind: "dir" | "file";
  readonly like?: Stats;
  /** Of a mount target that is made; 0755 for a folder when absent. */
  readonly mode?: number;
}

/**
 * What a layer must hold so that every mount target exists: those that the root file system of `layers` (top
 * first) lacks, with their missing parents, and the parents that are there, looking as they do. Parents come
 * before children. Symlinks are followed inside the root, as the runtime does.
 */
export function planStubs(
  layers: readonly string[],
  targets: readonly MountTarget[],
  isOpaque: (path: string) => boolean,
): readonly Stub[] {
  const stubs = new Map<string, Stub>();
  targets.forEach((target, index) => {
    // Below an earlier mount the runtime finds or makes the place in that mount, not in the root file system.
    if (targets.slice(0, index).some((earlier) => target.path.startsWith(`${earlier.path}/`))) return;
    const resolution = resolvePath(layers, target.path, isOpaque);
    if (resolution.kind !== "missing") return; // there already, or in the way of what the runtime will report
    for (const stub of listStubs(resolution.parents, resolution.names, target))
      if (!stubs.has(stub.path)) stubs.set(stub.path, stub);
  });
  return Array.from(stubs.values());
}

function listStubs(
  parents: readonly Place[],
  names: readonly string[],
  target: MountTarget,
): readonly Stub[] {
  const stubs: Stub[] = parents.map(({ path, stat }) => ({
    path,
    kind: "dir",
    ...(stat !== undefined && { like: stat }),
  }));
  let path = parents.at(-1)?.path ?? "";
  names.forEach((name, index) => {
    path = path === "" ? name : `${path}/${name}`;
    if (index + 1 < names.length) stubs.push({ path, kind: "dir" });
    else stubs.push({ path, kind: target.kind, ...(target.mode !== undefined && { mode: target.mode }) });
  });
  return stubs;
}
