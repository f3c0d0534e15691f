import { mkdirSync } from "node:fs";
import type { ByteString } from "../../oci/layer-entry.ts";
import { fsPath, Xattrs } from "../../sys/index.ts";
import { joinPath, parentPath } from "../../tar/index.ts";
import { MAX_SYMLINKS } from "../../util/linux-paths.ts";
import { LayerError, showPath } from "./error.ts";
import { describe, readLink, statHost } from "./host-files.ts";
import { isWhiteout, readLayerXattrs } from "./overlay-marks.ts";
import type { SnapshotWriter } from "./snapshot-writer.ts";

/**
 * Finds, and makes where it is missing, the real folder for a path of an untrusted layer. Symlinks of the layer are
 * resolved inside it, with the layer's root as `/` and nothing above it, and never left to the kernel.
 */
export class FolderResolver {
  readonly #writer: SnapshotWriter;
  readonly #resolveLower: ((path: ByteString) => string | undefined) | undefined;
  readonly #xattrs = new Xattrs();
  /** Paths to the real folders they stand for. */
  readonly #known = new Map<ByteString, ByteString>();
  readonly #implied = new Set<ByteString>();

  constructor(writer: SnapshotWriter, resolveLower: ((path: ByteString) => string | undefined) | undefined) {
    this.#writer = writer;
    this.#resolveLower = resolveLower;
  }

  /** The real folder for `path`, made with its parents if there is none. @throws {LayerError} ENTRY_INVALID */
  resolve(path: ByteString): ByteString {
    return this.#walk(path, true) as ByteString;
  }

  /** The real path of a file: its folder resolved, its own name not; undefined when the folder is not there. */
  find(path: ByteString): ByteString | undefined {
    const folder = this.#walk(parentPath(path), false);
    return folder === undefined ? undefined : joinPath(folder, path.slice(path.lastIndexOf("/") + 1));
  }

  /**
   * Makes sure that the last name of `path`, whose parent is real, is a folder; removes what else is there. Answers
   * what was there before, a folder or a whiteout.
   */
  make(path: ByteString): "folder" | "whiteout" | "other" {
    const host = this.#writer.hostPath(path);
    try {
      mkdirSync(fsPath(host), 0o700);
      return "other";
    } catch (error) {
      if ((error as { code?: unknown }).code !== "EEXIST") throw error;
    }
    const stats = statHost(host);
    if (stats?.isDirectory() === true) return "folder";
    this.#writer.remove(path);
    this.forget();
    mkdirSync(fsPath(host), 0o700);
    return stats !== undefined && isWhiteout(stats) ? "whiteout" : "other";
  }

  /** Says that a folder has an entry of its own. */
  declare(path: ByteString): void {
    this.#implied.delete(path);
    this.#known.set(path, path);
  }

  /** Drops what is known, because something was removed. */
  forget(): void {
    this.#known.clear();
  }

  implied(): readonly ByteString[] {
    const folders = this.#writer.realFolders();
    return [...this.#implied].filter((path) => folders.has(path));
  }

  #walk(path: ByteString, makes: boolean): ByteString | undefined {
    if (path === "") return path;
    const known = this.#known.get(path);
    if (known !== undefined) return known;
    const parent = this.#walk(parentPath(path), makes);
    if (parent === undefined) return undefined;
    const budget = { links: MAX_SYMLINKS };
    const folder = this.#step(parent, path.slice(path.lastIndexOf("/") + 1), makes, budget, path);
    if (folder !== undefined) this.#known.set(path, folder);
    return folder;
  }

  /** One name further from a real folder. */
  #step(
    parent: ByteString,
    name: string,
    makes: boolean,
    budget: { links: number },
    asked: ByteString,
  ): ByteString | undefined {
    const path = joinPath(parent, name);
    const stats = statHost(this.#writer.hostPath(path));
    if (stats?.isDirectory() === true) return path;
    if (stats?.isSymbolicLink() === true) {
      if (budget.links-- === 0) throw invalid(asked, "its folders are a loop of symlinks");
      return this.#follow(parent, readLink(this.#writer.hostPath(path)), makes, budget, asked);
    }
    if (!makes) return undefined;
    if (stats !== undefined && !isWhiteout(stats)) throw invalid(asked, `${showPath(path)} is no folder`);
    this.#imply(path);
    return path;
  }

  #follow(
    from: ByteString,
    target: string,
    makes: boolean,
    budget: { links: number },
    asked: ByteString,
  ): ByteString | undefined {
    let at: ByteString | undefined = target.startsWith("/") ? ("" as ByteString) : from;
    for (const part of target.split("/")) {
      if (at === undefined) return undefined;
      if (part === "" || part === ".") continue;
      at = part === ".." ? parentPath(at) : this.#step(at, part, makes, budget, asked);
    }
    return at;
  }

  /** Makes a folder that the layer has no entry for. */
  #imply(path: ByteString): void {
    const isWhitedOut = this.make(path) === "whiteout";
    this.#implied.add(path);
    const lower = isWhitedOut ? undefined : this.#resolveLower?.(path);
    const stats = lower === undefined ? undefined : statHost(lower);
    const node = lower === undefined || stats === undefined ? undefined : describe(stats, lower);
    const xattrs = node?.kind === "dir" ? readLayerXattrs(this.#xattrs, node.hostPath) : undefined;
    const { mode, uid, gid, mtimeSeconds } = node?.kind === "dir" ? node : DEFAULT_FOLDER;
    const entry = { path, mode, uid, gid, mtimeSeconds, size: 0 } as const;
    this.#writer.setAttributes({ ...entry, kind: "dir", ...(xattrs !== undefined && { xattrs }) });
    if (isWhitedOut) this.#writer.write({ ...entry, kind: "opaque" });
  }
}

const DEFAULT_FOLDER = { mode: 0o755, uid: 0, gid: 0, mtimeSeconds: 0 } as const;

function invalid(path: ByteString, state: string): LayerError {
  return new LayerError("ENTRY_INVALID", `Cannot unpack what is in ${showPath(path)}: ${state}`);
}
