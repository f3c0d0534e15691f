import { lstatSync, type Stats } from "node:fs";
import { MAX_SYMLINKS } from "../../util/linux-paths.ts";
import { lookupMerged, type MergedDirectory } from "./merged-tree.ts";

/** A folder on the way to a path. */
export interface Place {
  /** Relative to the root, without leading slash; "" for the root. */
  readonly path: string;
  readonly directory: MergedDirectory;
  /** Undefined only for the root of no layers at all. */
  readonly stat: Stats | undefined;
}

export type Resolution =
  /** It is there. `path` is free of symlinks, relative to the root. */
  | { readonly kind: "dir" | "file"; readonly path: string }
  /** `parents` are there, from the root on; `names` are not. */
  | { readonly kind: "missing"; readonly parents: readonly Place[]; readonly names: readonly string[] }
  /** A file where a folder would have to be, or too many symlinks. */
  | { readonly kind: "impossible" };

/**
 * Follows a path through layers (top first) as a process would whose root they are: symlinks never lead out, `..`
 * stops at the root, and behind a missing name it is reckoned by text, which is how runtimes do it.
 */
export function resolvePath(
  layers: readonly string[],
  path: string,
  isOpaque: (path: string) => boolean,
): Resolution {
  const top = layers[0];
  const root: Place = {
    path: "",
    directory: { parts: layers },
    stat: top === undefined ? undefined : lstatSync(top, { throwIfNoEntry: false }),
  };
  let chain: Place[] = [root];
  const queue = splitPath(path);
  let links = 0;
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    if (name === "..") {
      if (chain.length > 1) chain.pop();
      continue;
    }
    const here = chain.at(-1) ?? root;
    const entry = lookupMerged(here.directory, name, isOpaque);
    if (entry === undefined) return { kind: "missing", parents: chain, names: normalize([name, ...queue]) };
    const found = here.path === "" ? name : `${here.path}/${name}`;
    switch (entry.kind) {
      case "dir":
        chain.push({ path: found, directory: entry.directory, stat: entry.stat });
        break;
      case "symlink":
        if (++links > MAX_SYMLINKS) return { kind: "impossible" };
        if (entry.target.startsWith("/")) chain = [root];
        queue.unshift(...splitPath(entry.target));
        break;
      case "other":
        return queue.length === 0 ? { kind: "file", path: found } : { kind: "impossible" };
      default:
        return entry satisfies never;
    }
  }
  return { kind: "dir", path: chain.at(-1)?.path ?? "" };
}

function normalize(names: readonly string[]): readonly string[] {
  const kept: string[] = [];
  for (const name of names) {
    if (name === "..") kept.pop();
    else kept.push(name);
  }
  return kept;
}

function splitPath(path: string): string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}
