import { lstatSync, readlinkSync, type Stats } from "node:fs";

/** A folder of several overlaid layers: where its parts are, top first. */
export interface MergedDirectory {
  readonly parts: readonly string[];
}

export type MergedEntry =
  | { readonly kind: "dir"; readonly directory: MergedDirectory; readonly stat: Stats }
  | { readonly kind: "symlink"; readonly target: string }
  | { readonly kind: "other" };

/**
 * One name of a folder as an overlay of its parts would show it; undefined where there is none. Read without
 * mounting anything. `isOpaque` tells whether a folder hides those below it.
 */
export function lookupMerged(
  directory: MergedDirectory,
  name: string,
  isOpaque: (path: string) => boolean,
): MergedEntry | undefined {
  const parts: string[] = [];
  let top: Stats | undefined;
  for (const [index, part] of directory.parts.entries()) {
    const path = `${part}/${name}`;
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) continue;
    if (!stat.isDirectory()) {
      if (top !== undefined || isWhiteout(stat)) break;
      return stat.isSymbolicLink() ? { kind: "symlink", target: readlinkSync(path) } : { kind: "other" };
    }
    top ??= stat;
    parts.push(path);
    if (index + 1 < directory.parts.length && isOpaque(path)) break;
  }
  return top === undefined ? undefined : { kind: "dir", directory: { parts }, stat: top };
}

function isWhiteout(stat: Stats): boolean {
  return stat.isCharacterDevice() && stat.rdev === 0;
}
