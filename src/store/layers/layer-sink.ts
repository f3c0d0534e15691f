import { linkSync } from "node:fs";
import { type ByteString, fromByteString, type LayerEntry } from "../../oci/layer-entry.ts";
import { fsPath } from "../../sys/index.ts";
import { parentPath, type TarHeader, type TarSink, toLayerEntry } from "../../tar/index.ts";
import { copyUp } from "./copy-up.ts";
import { LayerError } from "./error.ts";
import { FolderResolver } from "./folder-resolver.ts";
import { describe, statHost } from "./host-files.ts";
import { isWhiteout } from "./overlay-marks.ts";
import { type SnapshotFile, SnapshotWriter } from "./snapshot-writer.ts";

/** Lays the entries of an untrusted layer tar down in overlay form. */
export class LayerSink implements TarSink {
  readonly #writer: SnapshotWriter;
  readonly #folders: FolderResolver;
  readonly #resolveLower: ((path: ByteString) => string | undefined) | undefined;
  /** Lower files that a hard link brought up, so that the next link to one joins it. */
  readonly #copies = new Map<string, ByteString>();
  #file: SnapshotFile | undefined;

  constructor(dir: string, resolveLower?: (path: ByteString) => string | undefined) {
    this.#writer = new SnapshotWriter(dir);
    this.#folders = new FolderResolver(this.#writer, resolveLower);
    this.#resolveLower = resolveLower;
  }

  entry(header: TarHeader): void {
    const named = toLayerEntry(header);
    if (named === undefined) return;
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
    const entry = { ...named, path: (folder === "" ? name : `${folder}/${name}`) as ByteString };
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
    const isWhitedOut = this.#folders.make(entry.path);
    this.#folders.declare(entry.path);
    this.#writer.clearXattrs(entry.path);
    this.#writer.setAttributes(entry);
    if (isWhitedOut) this.#writer.write({ ...entry, kind: "opaque" });
  }

  #takeLink(entry: LayerEntry): void {
    const target = entry.link as ByteString;
    const found = this.#folders.find(target) ?? this.#copies.get(target);
    const stats = found === undefined ? undefined : statHost(this.#writer.hostPath(found));
    if (found === undefined || stats === undefined || isWhiteout(stats)) {
      this.#takeLowerLink(entry, target);
      return;
    }
    if (found === entry.path) return;
    if (stats.isDirectory()) {
      throw new LayerError(
        "ENTRY_INVALID",
        `Cannot unpack ${show(entry.path)}: it is a hard link to a folder`,
      );
    }
    this.#replace(entry, () =>
      linkSync(fsPath(this.#writer.hostPath(found)), fsPath(this.#writer.hostPath(entry.path))),
    );
    // The link's own header counts for the file, as it does for containerd.
    const { kind } = describe(stats, this.#writer.hostPath(found));
    this.#writer.setAttributes({ ...entry, kind: kind === "socket" ? "fifo" : kind });
  }

  #takeLowerLink(entry: LayerEntry, target: ByteString): void {
    const source = this.#resolveLower?.(target);
    if (source === undefined) {
      throw new LayerError(
        "LINK_TARGET_MISSING",
        `Cannot unpack ${show(entry.path)}: it is a hard link to ${show(target)}, which is not in the layer`,
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

function show(path: string): string {
  return JSON.stringify(fromByteString(path as ByteString));
}
