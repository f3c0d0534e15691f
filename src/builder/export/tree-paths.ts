import type { ByteString } from "../../oci/index.ts";
import type { MergedTree } from "../../store/layers/index.ts";

/** Everything in a tree by its path, a folder before what is in it. */
export function* pathsOf(
  tree: MergedTree,
  folder: ByteString = "" as ByteString,
): Generator<ByteString, void, undefined> {
  for (const name of tree.readdir(folder)) {
    const path = (folder === "" ? name : `${folder}/${name}`) as ByteString;
    yield path;
    if (tree.lstat(path)?.kind === "dir") yield* pathsOf(tree, path);
  }
}
