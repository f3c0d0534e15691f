import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { fitsMountOptions, type OverlayFolders } from "../spec/overlay-options.ts";

/**
 * Where links to layers go. Not the caller's temp folder: each of up to 127 names costs its whole length, so
 * the folder's own must be short.
 */
const LINK_FOLDER_PREFIX = "/tmp/strake-";

/** Short names for layers, where their own would not fit into mount options. */
export class LayerLinks {
  #folder: string | undefined;
  #count = 0;

  /** The overlay's lower folders as they can be written into mount options, top first. */
  shorten(folders: OverlayFolders): readonly string[] {
    if (fitsMountOptions(folders)) return folders.lower;
    this.#folder ??= mkdtempSync(LINK_FOLDER_PREFIX);
    const folder = this.#folder;
    return folders.lower.map((target) => {
      const link = `${folder}/${this.#count++}`;
      symlinkSync(target, link);
      return link;
    });
  }

  [Symbol.dispose](): void {
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }
}
