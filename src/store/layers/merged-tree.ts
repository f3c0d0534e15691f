import { type ByteString, toByteString } from "../../oci/layer-entry.ts";
import { Xattrs } from "../../sys/index.ts";
import { parentPath } from "../../tar/index.ts";
import { describe, listHost, statHost } from "./host-files.ts";
import { isOpaque, isWhiteout, ROOT_ENTRY_XATTR } from "./overlay-marks.ts";
import type { LayerNode } from "./types.ts";

/**
 * What an overlay mount of unpacked layers would show, read without mounting. Listings are kept: the layers must not
 * change while a tree is in use. No call follows symlinks: a path through one is not found.
 */
export class MergedTree {
  readonly #xattrs = new Xattrs();
  readonly #layers: readonly string[];
  readonly #folders = new Map<ByteString, Folder | undefined>();

  /** `layers` are folders in overlay form, the topmost first. */
  constructor(layers: readonly string[]) {
    this.#layers = layers.map(toByteString);
  }

  lstat(path: ByteString): LayerNode | undefined {
    if (path === "") return this.#lstatRoot();
    const slot = this.#find(path);
    const hostPath = slot?.parts[0];
    if (hostPath === undefined) return undefined;
    const stats = statHost(hostPath);
    return stats === undefined ? undefined : describe(stats, hostPath);
  }

  /** Names in a folder, sorted as bytes; empty when it is no folder. */
  readdir(path: ByteString): readonly ByteString[] {
    const folder = this.#folder(path);
    if (folder === undefined) return [];
    if (folder.sorted === undefined) {
      const names: string[] = [];
      for (const [name, slot] of this.#slots(folder)) if (slot.parts.length > 0) names.push(name);
      folder.sorted = names.sort() as ByteString[];
    }
    return folder.sorted;
  }

  /** A layer without an entry for its root says nothing about it: then it is as the layers below have it, or 0755 0:0. */
  #lstatRoot(): LayerNode {
    const layer = this.#layers.find((path) => this.#xattrs.get(path, ROOT_ENTRY_XATTR) !== undefined);
    const stats = layer === undefined ? undefined : statHost(layer);
    if (layer !== undefined && stats !== undefined) return describe(stats, layer);
    return {
      kind: "dir",
      mode: 0o755,
      uid: 0,
      gid: 0,
      mtimeSeconds: 0,
      size: 0,
      hostPath: this.#layers[0] ?? "",
    };
  }

  #find(path: ByteString): Slot | undefined {
    const folder = this.#folder(parentPath(path));
    if (folder === undefined) return undefined;
    return this.#slots(folder).get(path.slice(path.lastIndexOf("/") + 1));
  }

  #folder(path: ByteString): Folder | undefined {
    const known = this.#folders.get(path);
    if (known !== undefined || this.#folders.has(path)) return known;
    const parts = path === "" ? this.#rootParts() : this.#folderParts(path);
    const folder = parts === undefined ? undefined : { parts };
    this.#folders.set(path, folder);
    return folder;
  }

  /** Layers below an opaque root do not show; no mount does that by itself. */
  #rootParts(): readonly string[] {
    const opaque = this.#layers.findIndex((layer) => isOpaque(this.#xattrs, layer));
    return opaque < 0 ? this.#layers : this.#layers.slice(0, opaque + 1);
  }

  #folderParts(path: ByteString): readonly string[] | undefined {
    const slot = this.#find(path);
    return slot?.isFolder === true ? slot.parts : undefined;
  }

  #slots(folder: Folder): ReadonlyMap<string, Slot> {
    folder.slots ??= this.#merge(folder.parts);
    return folder.slots;
  }

  /** Lays the listings of one folder's parts over each other. */
  #merge(parts: readonly string[]): ReadonlyMap<string, Slot> {
    const slots = new Map<string, Slot>();
    for (const part of parts) {
      for (const dirent of listHost(part)) {
        const hostPath = `${part}/${dirent.name}`;
        const slot = slots.get(dirent.name);
        if (slot === undefined) {
          slots.set(dirent.name, this.#open(hostPath, dirent.isDirectory(), dirent.isCharacterDevice()));
        } else if (slot.isOpen) {
          const above = slot.parts[slot.parts.length - 1] as string;
          if (dirent.isDirectory() && !isOpaque(this.#xattrs, above)) slot.parts.push(hostPath);
          else slot.isOpen = false;
        }
      }
    }
    return slots;
  }

  #open(hostPath: string, isFolder: boolean, isCharacterDevice: boolean): Slot {
    if (isCharacterDevice) {
      const stats = statHost(hostPath);
      if (stats === undefined || isWhiteout(stats)) return { parts: [], isFolder: false, isOpen: false };
    }
    return { parts: [hostPath], isFolder, isOpen: isFolder };
  }
}

interface Folder {
  /** Where it is in the layers that add to it, the topmost first. */
  readonly parts: readonly string[];
  slots?: ReadonlyMap<string, Slot>;
  sorted?: readonly ByteString[];
}

/** One name in a merged folder. */
interface Slot {
  /** The file, or the parts of a folder; empty for a name that is gone. */
  readonly parts: string[];
  readonly isFolder: boolean;
  /** Whether lower layers may still add to it. */
  isOpen: boolean;
}
