/** Bounds of Linux, for paths that strangers give us and that the kernel has not seen yet. */

/** Bytes of a path, without the NUL at its end. */
export const MAX_PATH_BYTES = 4095;
/** Bytes of one name in a path. */
export const MAX_NAME_BYTES = 255;
/** As many symlinks as the kernel follows in one path. */
export const MAX_SYMLINKS = 40;
