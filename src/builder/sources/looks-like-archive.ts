/** How much of a file tells what it is. */
export const ARCHIVE_HEAD_BYTES = 512;

/** Where "ustar" stands in a tar's first header. */
const TAR_MAGIC_OFFSET = 257;

const COMPRESSED: readonly (readonly number[])[] = [
  [0x1f, 0x8b],
  [0x42, 0x5a, 0x68],
  [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00],
  [0x28, 0xb5, 0x2f, 0xfd],
];

/** Whether the beginning of a file is that of a tar, compressed or not, rather than a Dockerfile's. */
export function looksLikeArchive(start: Uint8Array): boolean {
  if (COMPRESSED.some((magic) => magic.every((byte, index) => start[index] === byte))) return true;
  const magic = Buffer.from(start.subarray(TAR_MAGIC_OFFSET, TAR_MAGIC_OFFSET + 5)).toString("latin1");
  // An archive without entries is nothing but zeros, which no Dockerfile begins with.
  return magic === "ustar" || start[0] === 0;
}
