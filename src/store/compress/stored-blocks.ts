/** Most bytes of one stored block. */
const MAX_STORED = 0xffff;

/** Deflate blocks that hold their bytes as they are (RFC 1951, 3.2.4); they begin and end at a byte boundary. */
export function storedBlocks(bytes: Uint8Array): Uint8Array {
  const count = Math.ceil(bytes.byteLength / MAX_STORED);
  const out = Buffer.allocUnsafeSlow(bytes.byteLength + 5 * count);
  let at = 0;
  for (let begin = 0; begin < bytes.byteLength; begin += MAX_STORED) {
    const piece = bytes.subarray(begin, begin + MAX_STORED);
    out[at] = 0; // not the final block, type 00
    out.writeUInt16LE(piece.byteLength, at + 1);
    out.writeUInt16LE(piece.byteLength ^ 0xffff, at + 3);
    out.set(piece, at + 5);
    at += 5 + piece.byteLength;
  }
  return out;
}
