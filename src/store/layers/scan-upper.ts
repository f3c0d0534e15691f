import { type ByteString, toByteString } from "../../oci/layer-entry.ts";
import { Xattrs } from "../../sys/index.ts";
import { joinPath } from "../../tar/index.ts";
import { canonicalEntries } from "./canonical.ts";
import { describe, listNames, statHost } from "./host-files.ts";
import { LinkGroups } from "./link-groups.ts";
import { MergedTree } from "./merged-tree.ts";
import { isOpaque, isWhiteout, readLayerXattrs } from "./overlay-marks.ts";
import { isSameFile } from "./same-file.ts";
import type { LayerNode, SourcedEntry } from "./types.ts";
import { whiteoutEntry } from "./whiteout-entry.ts";

/**
 * The changes that an overlay mount's upper folder holds against the layers below it, as canonical entries. What is
 * in `upper` but shows nothing new is left out, by the rules of containerd and BuildKit: copied-up files that nobody
 * changed, whiteouts of names that the layers below do not have, opaque marks that hide nothing, sockets. A folder
 * stays when anything in it changed.
 *
 * `lower` has the topmost layer first. The result refers to files in `upper`.
 */
export function scanUpper(upper: string, lower: readonly string[]): readonly SourcedEntry[] {
  return new UpperScan(toByteString(upper), new MergedTree(lower)).run();
}

class UpperScan {
  readonly #upper: string;
  readonly #lower: MergedTree;
  readonly #xattrs = new Xattrs();
  readonly #links = new LinkGroups();
  readonly #entries: SourcedEntry[] = [];

  constructor(upper: string, lower: MergedTree) {
    this.#upper = upper;
    this.#lower = lower;
  }

  run(): readonly SourcedEntry[] {
    const root = "" as ByteString;
    const stats = statHost(this.#upper);
    const below = this.#lower.lstat(root);
    if (stats === undefined || below === undefined) throw new TypeError(`No folder ${this.#upper}`);
    const node = describe(stats, this.#upper);
    // A step begins with a fresh root, whatever the image's is like; only what the step made of it is a change.
    if (!hasAttributes(node, below) && !hasAttributes(node, FRESH_ROOT)) {
      this.#entries.push(this.#toEntry(root, node));
    }
    this.#scanFolder(root, this.#upper, true);
    return canonicalEntries(this.#entries);
  }

  /** `isMerged`: whether the layers below show through here. */
  #scanFolder(folder: ByteString, hostFolder: string, isMerged: boolean): void {
    for (const name of listNames(hostFolder)) {
      const path = joinPath(folder, name);
      this.#scan(path, `${hostFolder}/${name}`, isMerged);
    }
  }

  #scan(path: ByteString, hostPath: string, isMerged: boolean): void {
    const stats = statHost(hostPath);
    if (stats === undefined || stats.isSocket()) return;
    const below = isMerged ? this.#lower.lstat(path) : undefined;
    if (isWhiteout(stats)) {
      if (below !== undefined) this.#entries.push(whiteoutEntry("whiteout", path));
      return;
    }
    const node = describe(stats, hostPath);
    const isSame = below !== undefined && isSameFile(node, below, this.#xattrs);
    if (node.kind !== "dir") {
      // A file with several names here was linked by the step: leaving one name out would break the others off.
      if (!isSame || node.hardlinkId !== undefined)
        this.#entries.push(this.#links.join(this.#toEntry(path, node), node.hardlinkId));
      return;
    }
    const index = this.#entries.length;
    this.#entries.push(this.#toEntry(path, node));
    const hides = below?.kind === "dir" && isOpaque(this.#xattrs, hostPath);
    if (hides) this.#entries.push(whiteoutEntry("opaque", path));
    this.#scanFolder(path, hostPath, below?.kind === "dir" && !hides);
    if (isSame && this.#entries.length === index + 1) this.#entries.pop();
  }

  #toEntry(path: ByteString, node: LayerNode): SourcedEntry {
    return toEntry(path, node, readLayerXattrs(this.#xattrs, node.hostPath));
  }
}

/** An upper folder as stores make it. */
const FRESH_ROOT = { mode: 0o755, uid: 0, gid: 0 } as const;

function hasAttributes(
  node: LayerNode,
  { mode, uid, gid }: Pick<LayerNode, "mode" | "uid" | "gid">,
): boolean {
  return node.mode === mode && node.uid === uid && node.gid === gid;
}

/** A file of a tree as the entry that adds it. */
export function toEntry(
  path: ByteString,
  node: LayerNode,
  xattrs: ReadonlyMap<string, Uint8Array> | undefined,
): SourcedEntry {
  const { kind, mode, uid, gid, mtimeSeconds, size, link, major, minor, hostPath } = node;
  if (kind === "socket") throw new TypeError("A layer has no sockets");
  const plain = { path, kind, mode, uid, gid, mtimeSeconds, size };
  const entry = kind === "file" ? { ...plain, content: { kind, hostPath } } : plain;
  if (link === undefined && major === undefined && xattrs === undefined) return entry;
  return {
    ...entry,
    ...(link !== undefined && { link }),
    ...(major !== undefined && { major, minor: minor ?? 0 }),
    ...(xattrs !== undefined && { xattrs }),
  };
}
