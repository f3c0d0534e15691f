import { mkdtempSync, readdirSync, rmSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fitsMountOptions, type OverlayFolders } from "./overlay-options.ts";

/**
 * Where links to layers go. Not the caller's temp folder: each of up to 127 names costs its whole length, so
 * the folder's own must be short.
 */
const LINK_ROOT = "/tmp";
const LINK_PREFIX = "strake-";

/** Links are read when a container starts; after a day whoever made them was killed. */
const STALE_MS = 24 * 60 * 60 * 1000;

/** Short names for layers, where their own would not fit into mount options. Disposing removes them. */
export class LayerLinks implements Disposable {
  #folder: string | undefined;
  #count = 0;

  /** The overlay's folders as they can be written into mount options. */
  shorten(folders: OverlayFolders): OverlayFolders {
    if (fitsMountOptions(folders)) return folders;
    return {
      lower: folders.lower.map((path) => this.#link(path)),
      upper: this.#link(folders.upper),
      work: this.#link(folders.work),
    };
  }

  [Symbol.dispose](): void {
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }

  #link(target: string): string {
    this.#folder ??= makeFolder();
    const link = `${this.#folder}/${this.#count++}`;
    symlinkSync(target, link);
    return link;
  }
}

function makeFolder(): string {
  removeStaleFolders();
  return mkdtempSync(join(LINK_ROOT, LINK_PREFIX));
}

/** Nobody else would ever remove the folders of builds that were killed. */
function removeStaleFolders(): void {
  for (const name of readdirSync(LINK_ROOT)) {
    if (!/^strake-\w{6}$/.test(name)) continue;
    const path = join(LINK_ROOT, name);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat?.uid === process.geteuid?.() && Date.now() - (stat?.mtimeMs ?? Date.now()) > STALE_MS)
      rmSync(path, { recursive: true, force: true });
  }
}
