import { type ByteString, fromByteString } from "../../oci/layer-entry.ts";
import type { ChangeSet } from "./change-set.ts";
import { FilesError } from "./error.ts";
import { joinPath, ROOT } from "./path.ts";
import { resolveInTree } from "./resolve-in-tree.ts";
import type { Owner } from "./types.ts";

export interface NewFolder {
  readonly mode: number;
  readonly owner: Owner;
  readonly mtimeSeconds: number;
}

/**
 * `mkdir -p` inside a tree: symlinks on the way are followed within it, also where they point at nothing yet.
 * Folders that are there already stay untouched. Returns the folder's path without symlinks.
 *
 * @throws {FilesError} DESTINATION_CONFLICT when something on the way is no folder
 */
export function makeFolders(changes: ChangeSet, path: ByteString, folder: NewFolder): ByteString {
  const resolved = resolveInTree(changes, path, { followLast: true });
  let here = ROOT;
  for (const part of resolved === ROOT ? [] : resolved.split("/")) {
    here = joinPath(here, part);
    const node = changes.lstat(here);
    if (node?.kind === "dir") continue;
    if (node !== undefined) {
      const shown = `/${fromByteString(here)}`;
      throw new FilesError("DESTINATION_CONFLICT", `Cannot make a folder: mkdir ${shown}: not a directory`, {
        hint: `There is a ${node.kind} where a folder is wanted; remove it in an earlier step`,
      });
    }
    const { mode, owner, mtimeSeconds } = folder;
    changes.put(here, { kind: "dir", mode, uid: owner.uid, gid: owner.gid, mtimeSeconds, size: 0 });
  }
  return resolved;
}
