import { lstatSync, type Stats } from "node:fs";
import { lookupMerged, type MergedDirectory } from "./merged-tree.ts";

export interface MountTarget {
  /** Absolute, in the container. */
  readonly path: string;
  readonly kind: "dir" | "file";
}

/** One entry of the stub layer; `like` is the folder whose owner, mode and times it must show. */
export interface Stub {
  /** Relative to the root, without leading slash; "" for the root. */
  readonly path: string;
  readonly kind: "dir" | "file";
  readonly like?: Stats;
}

/** As many as the kernel follows. */
const MAX_SYMLINKS = 40;

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
    for (const stub of planTarget(layers, target, isOpaque))
      if (!stubs.has(stub.path)) stubs.set(stub.path, stub);
  });
  return Array.from(stubs.values());
}

interface Place {
  readonly path: string;
  readonly directory: MergedDirectory;
  readonly stat: Stats | undefined;
}

function planTarget(
  layers: readonly string[],
  target: MountTarget,
  isOpaque: (path: string) => boolean,
): readonly Stub[] {
  const top = layers[0];
  const root: Place = {
    path: "",
    directory: { parts: layers },
    stat: top === undefined ? undefined : lstatSync(top, { throwIfNoEntry: false }),
  };
  let chain: Place[] = [root];
  const queue = splitPath(target.path);
  let links = 0;
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    if (name === "..") {
      if (chain.length > 1) chain.pop();
      continue;
    }
    const here = chain.at(-1) ?? root;
    const entry = lookupMerged(here.directory, name, isOpaque);
    if (entry === undefined) return missing(chain, [name, ...queue], target.kind);
    if (entry.kind === "other") return []; // there already, or a file in the way, which the runtime reports
    if (entry.kind === "symlink") {
      if (++links > MAX_SYMLINKS) return [];
      if (entry.target.startsWith("/")) chain = [root];
      queue.unshift(...splitPath(entry.target));
      continue;
    }
    chain.push({ path: joinPath(here.path, name), directory: entry.directory, stat: entry.stat });
  }
  return [];
}

function missing(chain: readonly Place[], names: readonly string[], kind: "dir" | "file"): readonly Stub[] {
  const stubs: Stub[] = chain.map(({ path, stat }) =>
    stat === undefined ? { path, kind: "dir" } : { path, kind: "dir", like: stat },
  );
  const parent = chain.at(-1)?.path ?? "";
  // `..` after what is missing takes the text back, as the runtime reckons it.
  const rest: string[] = [];
  for (const name of names) {
    if (name === "..") rest.pop();
    else rest.push(name);
  }
  rest.forEach((_, index) => {
    const path = joinPath(parent, rest.slice(0, index + 1).join("/"));
    stubs.push({ path, kind: index + 1 < rest.length ? "dir" : kind });
  });
  return stubs;
}

function joinPath(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}

function splitPath(path: string): string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}
