import { type ByteString, fromByteString } from "../../oci/layer-entry.ts";
import { FilesError } from "./error.ts";
import { cleanPath, joinPath, parentPath, ROOT } from "./path.ts";
import type { FileTree } from "./types.ts";

/** As many as Docker follows before it gives up. */
const MAX_LINKS = 255;

/**
 * The path with every symlink on the way replaced by what it points at, all inside the tree: absolute links start
 * at the tree's root and `..` never leaves it. Parts that are not there are kept as they are spelled, so that a
 * dangling link gives the path it would create.
 *
 * @param path any spelling; `.` and `..` in it (not those in links) are resolved by spelling, as Docker does
 * @throws {FilesError} TOO_MANY_LINKS; ARCHIVE_INVALID with `rejectEscapes`
 */
export function resolveInTree(
  tree: FileTree,
  path: string,
  options: {
    readonly followLast: boolean;
    /** Refuses relative links that climb above the root, unless an absolute link came before. */
    readonly rejectEscapes?: boolean;
    /** Called with the path of each symlink that is followed. */
    readonly onLink?: (path: ByteString) => void;
  },
): ByteString {
  let resolved = ROOT;
  // In reverse, so that taking the next part and putting a link's target in front are both cheap.
  const pending = splitPath(cleanPath(path)).reverse();
  let linksFollowed = 0;
  let mayClimb = options.rejectEscapes !== true;
  for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
    if (part === "" || part === ".") continue;
    if (part === "..") {
      if (resolved === ROOT && !mayClimb)
        throw new FilesError(
          "ARCHIVE_INVALID",
          `statat ${fromByteString(cleanPath(path))}: path escapes from parent`,
        );
      resolved = parentPath(resolved);
      continue;
    }
    const next = joinPath(resolved, part);
    const isLast = pending.length === 0;
    const node = isLast && !options.followLast ? undefined : tree.lstat(next);
    if (node?.kind !== "symlink" || node.link === undefined) {
      resolved = next;
      continue;
    }
    options.onLink?.(next);
    if (++linksFollowed > MAX_LINKS)
      throw new FilesError(
        "TOO_MANY_LINKS",
        `Cannot resolve "/${fromByteString(cleanPath(path))}": too many links`,
        { hint: `The symbolic link /${fromByteString(next)} leads back to itself` },
      );
    if (node.link.startsWith("/")) {
      resolved = ROOT;
      mayClimb = true;
    }
    pending.push(...splitPath(node.link).reverse());
  }
  return resolved;
}

function splitPath(path: string): string[] {
  return path === "" ? [] : path.split("/");
}
