export interface OverlayFolders {
  /** Top first; never empty (the kernel refuses an overlay without a lower folder). */
  readonly lower: readonly string[];
  readonly upper: string;
  readonly work: string;
}

/** mount(2) takes one page of options, the closing NUL included. */
export const MAX_OPTIONS_BYTES = 4095;

/**
 * Mount options of an overlay whose upper folder is to hold a plain difference: no redirects, no files with
 * metadata only. `userxattr` keeps its marks in user.overlay.*, which works for root and in a user namespace alike;
 * with it the kernel refuses redirect_dir=off (meaning: follow) and takes only nofollow.
 * @see https://docs.kernel.org/filesystems/overlayfs.html
 */
export function overlayOptions(folders: OverlayFolders): readonly string[] {
  return [
    `lowerdir=${folders.lower.join(":")}`,
    `upperdir=${folders.upper}`,
    `workdir=${folders.work}`,
    "userxattr",
    "redirect_dir=nofollow",
    "metacopy=off",
    "index=off",
  ];
}

/** Whether the folders can stand in mount options as they are: short enough in all, no separator in a name. */
export function fitsMountOptions(folders: OverlayFolders): boolean {
  const all = [...folders.lower, folders.upper, folders.work];
  if (all.some((path) => /[\\:,]/.test(path))) return false;
  return Buffer.byteLength(overlayOptions(folders).join(",")) <= MAX_OPTIONS_BYTES;
}
