import { type ByteString, toByteString } from "../../oci/layer-entry.ts";
import { Xattrs } from "../../sys/index.ts";
import { joinPath } from "../../tar/index.ts";
import { canonicalEntries } from "./canonical.ts";
import { HandOff } from "./hand-off.ts";
import { describe, listNames, statHost } from "./host-files.ts";
import { LinkGroups } from "./link-groups.ts";
import { isOpaque, isWhiteout, ROOT_ENTRY_XATTR, readLayerXattrs } from "./overlay-marks.ts";
import { Packer } from "./packer.ts";
import { toEntry } from "./scan-upper.ts";
import type { SourcedEntry } from "./types.ts";
import { whiteoutEntry } from "./whiteout-entry.ts";

/** Every change that a layer in overlay form holds, as canonical entries that refer to files in `folder`. */
export function readSnapshot(folder: string): readonly SourcedEntry[] {
  const dir = toByteString(folder);
  const xattrs = new Xattrs();
  const links = new LinkGroups();
  const entries: SourcedEntry[] = [];
  const addFolder = (path: ByteString, hostPath: string): void => {
    if (isOpaque(xattrs, hostPath)) entries.push(whiteoutEntry("opaque", path));
    for (const name of listNames(hostPath)) {
      add(joinPath(path, name), `${hostPath}/${name}`);
    }
  };
  const add = (path: ByteString, hostPath: string): void => {
    const stats = statHost(hostPath);
    if (stats === undefined || stats.isSocket()) return;
    if (isWhiteout(stats)) {
      entries.push(whiteoutEntry("whiteout", path));
      return;
    }
    const node = describe(stats, hostPath);
    const entry = toEntry(path, node, readLayerXattrs(xattrs, hostPath));
    entries.push(links.join(entry, node.hardlinkId));
    if (node.kind === "dir") addFolder(path, hostPath);
  };
  const root = "" as ByteString;
  if (xattrs.get(dir, ROOT_ENTRY_XATTR) === undefined) addFolder(root, dir);
  else add(root, dir);
  return entries;
}

/**
 * The canonical tar of a layer in overlay form: the bytes that `writeLayer` made its diffID of, if it wrote `dir` or its entries
 * are `dir` as `settleUpper` left it.
 */
export async function* packSnapshot(
  dir: string,
  options: { readonly signal?: AbortSignal | undefined } = {},
): AsyncGenerator<Uint8Array> {
  const handOff = new HandOff<Uint8Array>();
  const packing = new Packer({ ...options, onTarChunk: (chunk) => handOff.give(chunk), hashes: false })
    .pack(canonicalEntries(readSnapshot(dir)))
    .then(
      () => handOff.end(),
      (error: unknown) => handOff.fail(error),
    );
  try {
    yield* handOff;
  } finally {
    handOff.leave();
    await packing;
  }
}
