import { toByteString } from "../../oci/layer-entry.ts";
import type { SourcedEntry } from "../../store/layers/types.ts";
import { ChangeSet } from "./change-set.ts";
import { makeFolders } from "./make-folders.ts";
import { cleanPath } from "./path.ts";
import type { FileTree, Owner } from "./types.ts";

/**
 * The layer of a WORKDIR: the folders that are missing on the way to it, mode 0755. Empty when all are there.
 *
 * @param path absolute, any spelling
 * @throws {FilesError} DESTINATION_CONFLICT, TOO_MANY_LINKS
 */
export function planWorkdir(
  path: string,
  destination: FileTree,
  options: { readonly owner: Owner; readonly folderMtimeSeconds: number },
): readonly SourcedEntry[] {
  const changes = new ChangeSet(destination);
  makeFolders(changes, cleanPath(toByteString(path)), {
    mode: 0o755,
    owner: options.owner,
    mtimeSeconds: options.folderMtimeSeconds,
  });
  return changes.toEntries();
}
