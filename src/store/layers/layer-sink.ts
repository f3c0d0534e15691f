import { linkSync } from "node:fs";
import type { ByteString, LayerEntry } from "../../oci/layer-entry.ts";
import { fsPath, Xattrs } from "../../sys/index.ts";
import { joinPath, parentPath, type TarHeader, type TarSink, toLayerEntry } from "../../tar/index.ts";
import { MAX_PATH_BYTES } from "../../util/linux-paths.ts";
import { copyUp } from "./copy-up.ts";
import { LayerError, showPath } from "./error.ts";
import { FolderResolver } from "./folder-resolver.ts";
import { describe, statHost } from "./host-files.ts";
import { isLayerXattr, isWhiteout, readLayerXattrs } from "./overlay-marks.ts";
import { type SnapshotFile, SnapshotWriter } from "./snapshot-writer.ts";
import type { LayerNode } from "./types.ts";

/** Lays the entries of an untrusted layer tar down in overlay form. */
export class LayerSink implements TarSink {
  readonly #writer: SnapshotWriter;
  readonly #folders: FolderResolver;
  readonly #resolveLower: ((path: ByteString) => string | undefined) | undefined;
  /** Lower files that a hard link brought up, so that the next link to one joins it. */
  readonly #copies = new Map<string, ByteString>();
  readonly #xattrs = new Xattrs();
  #file: SnapshotFile | undefined;

  constructor(dir: string, resolveLower?: (path: ByteString) => string | undefined) {
    this.#writer = new SnapshotWriter(dir);
    this.#folders = new FolderResolver(this.#writer, resolveLower);
    this.#resolveLower = resolveLower;
  }

  entry(header: TarHeader): void {
    const named = toLayerEntry(header);
    if (named === undefined) return;
    if (named.path.length > MAX_PATH_BYTES) {
      throw new LayerError("ENTRY_INVALID", `Cannot unpack layer: a path has ${named.path.length} bytes`);
    }
    if (named.path === "") {
      this.#takeRoot(named);
      return;
    }
    if (named.kind === "opaque") {
      this.#writer.write({ ...named, path: this.#folders.resolve(named.path) });
      return;
    }
    const folder = this.#folders.resolve(parentPath(named.path));
    const name = named.path.slice(named.path.lastIndexOf("/") + 1);
    const entry = adjust(named, joinPath(folder, name));
    switch (entry.kind) {
      case "whiteout":
        this.#takeWhiteout(entry);
        return;
      case "dir":
        this.#takeFolder(entry);
        return;
      case "hardlink":
        this.#takeLink(entry);
        return;
      case "file":
        this.#file = this.#replace(entry, () => this.#writer.createFile(entry));
        return;
      default:
        this.#replace(entry, () => this.#writer.write(entry));
    }
  }

  content(bytes: Uint8Array): void {
    this.#file?.write(bytes);
  }

  hole(length: number): void {
    this.#file?.skip(length);
  }

  end(): void {
    const file = this.#file;
    this.#file = undefined;
    file?.close();
  }

  /** Sets the times of folders; answers those that had no entry. */
  finish(): readonly ByteString[] {
    this.#writer.finish();
    return this.#folders.implied();
  }

  /** Closes what is open, after an error. */
  abandon(): void {
    this.#file?.abandon();
    this.#file = undefined;
  }

  #takeRoot(entry: LayerEntry): void {
    if (entry.kind !== "dir" && entry.kind !== "opaque") {
      throw new LayerError("ENTRY_INVALID", `Cannot unpack layer: its root is a ${entry.kind}`);
    }
    if (entry.kind === "dir") this.#writer.clearXattrs(entry.path);
    this.#writer.write(entry);
  }

  /** A whiteout hides what is below the layer, never what the layer itself has, before it or after it. */
  #takeWhiteout(entry: LayerEntry): void {
    const present = statHost(this.#writer.hostPath(entry.path));
    if (present === undefined) this.#writer.write(entry);
    else if (present.isDirectory()) this.#writer.write({ ...entry, kind: "opaque" });
  }

  #takeFolder(entry: LayerEntry): void {
    const before = this.#folders.make(entry.path);
    this.#folders.declare(entry.path);
    if (before === "folder") this.#writer.clearXattrs(entry.path);
    this.#writer.setAttributes(entry);
    if (before === "whiteout") this.#writer.write({ ...entry, kind: "opaque" });
  }

  #takeLink(entry: LayerEntry): void {
    const target = entry.link as ByteString;
    const found = this.#findFile(this.#folders.find(target)) ?? this.#findFile(this.#copies.get(target));
    if (found === undefined) {
      this.#takeLowerLink(entry, target);
      return;
    }
    if (found.path === entry.path) return;
    if (found.kind === "dir") {
      throw new LayerError(
        "ENTRY_INVALID",
        `Cannot unpack ${showPath(entry.path)}: it is a hard link to a folder`,
      );
    }
    this.#replace(entry, () => linkSync(fsPath(found.hostPath), fsPath(this.#writer.hostPath(entry.path))));
    this.#applyLinkHeader(entry, found);
  }

  /** The link's own header counts for the file, as it does for containerd. */
  #applyLinkHeader(entry: LayerEntry, file: LayerNode): void {
    const kind = file.kind as LayerEntry["kind"];
    const isSame =
      entry.uid === file.uid &&
      entry.gid === file.gid &&
      (entry.mode === file.mode || kind === "symlink") &&
      entry.mtimeSeconds === file.mtimeSeconds &&
      entry.xattrs === undefined;
    if (isSame) return;
    // A change of owner takes away a capability, which must be set again.
    const xattrs = entry.xattrs ?? readLayerXattrs(this.#xattrs, file.hostPath);
    this.#writer.setAttributes({ ...entry, kind, ...(xattrs !== undefined && { xattrs }) });
  }

  /** The file that the layer has at a real path; undefined for none, and for a whiteout. */
  #findFile(path: ByteString | undefined): (LayerNode & { readonly path: ByteString }) | undefined {
    if (path === undefined) return undefined;
    const hostPath = this.#writer.hostPath(path);
    const stats = statHost(hostPath);
    return stats === undefined || isWhiteout(stats) ? undefined : { ...describe(stats, hostPath), path };
  }

  #takeLowerLink(entry: LayerEntry, target: ByteString): void {
    const source = this.#resolveLower?.(target);
    if (source === undefined) {
      throw new LayerError(
        "LINK_TARGET_MISSING",
        `Cannot unpack ${showPath(entry.path)}: it is a hard link to ${showPath(target)}, which is not in the layer`,
      );
    }
    this.#replace(entry, () => copyUp(source, entry, this.#writer));
    this.#copies.set(target, entry.path);
  }

  /** Runs `make`, and when its place is taken once more without what was there. */
  #replace<T>(entry: LayerEntry, make: () => T): T {
    try {
      return make();
    } catch (error) {
      if ((error as { code?: unknown }).code !== "EEXIST") throw error;
    }
    this.#writer.remove(entry.path);
    this.#folders.forget();
    return make();
  }
}

/** The entry at the place where it goes, with the attributes it may have. */
function adjust(entry: LayerEntry, path: ByteString): LayerEntry {
  if (entry.xattrs !== undefined) return { ...entry, path, xattrs: usableXattrs(entry.kind, entry.xattrs) };
  return entry.path === path ? entry : { ...entry, path };
}

/**
 * The attributes that a layer may bring: none that would tell overlay something, and users' own only where the kernel
 * allows them.
 */
function usableXattrs(
  kind: LayerEntry["kind"],
  xattrs: ReadonlyMap<string, Uint8Array>,
): ReadonlyMap<string, Uint8Array> {
  const mayHaveUsers = kind === "file" || kind === "dir" || kind === "hardlink";
  return new Map(
    [...xattrs].filter(([name]) => isLayerXattr(name) && (mayHaveUsers || !name.startsWith("user."))),
  );
}
