/** How a stream of bytes is compressed, as its first bytes tell. */
export type StreamCompression = "none" | "gzip" | "bzip2" | "xz" | "zstd" | "lzma";

/** As many bytes as `detectCompression` wants to see. */
export const COMPRESSION_MAGIC_BYTES = 13;

/**
 * Tells the compression from the content. `head` is the stream's first bytes: 13, or all when there are fewer. The old
 * lzma format has no magic number: it is taken for one when its 13-byte header makes sense.
 */
export function detectCompression(head: Uint8Array): StreamCompression {
  if (startsWith(head, [0x1f, 0x8b])) return "gzip";
  if (startsWith(head, [0x42, 0x5a, 0x68])) return "bzip2";
  if (startsWith(head, [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])) return "xz";
  if (isZstd(head)) return "zstd";
  return isOldLzma(head) ? "lzma" : "none";
}

function startsWith(head: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, i) => head[i] === byte);
}

/** A frame, or a skippable frame before it (RFC 8878, 3.1). */
function isZstd(head: Uint8Array): boolean {
  if (startsWith(head, [0x28, 0xb5, 0x2f, 0xfd])) return true;
  return ((head[0] ?? 0) & 0xf0) === 0x50 && startsWith(head.subarray(1), [0x2a, 0x4d, 0x18]);
}

/** Properties below 225, a dictionary of 2^n or 2^n + 2^(n-1) bytes, and a size that is unknown or below 256 GiB. */
function isOldLzma(head: Uint8Array): boolean {
  if (head.length < COMPRESSION_MAGIC_BYTES || (head[0] as number) >= 225) return false;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const dictionary = view.getUint32(1, true);
  const isPowerOrHalfMore = [0, 1].some((extra) => {
    const base = extra === 0 ? dictionary : dictionary / 3;
    return base >= 2048 && Number.isInteger(Math.log2(base));
  });
  const size = view.getBigUint64(5, true);
  return (isPowerOrHalfMore || dictionary === 0xffffffff) && (size === UNKNOWN_SIZE || size < 1n << 38n);
}

const UNKNOWN_SIZE = 0xffff_ffff_ffff_ffffn;
