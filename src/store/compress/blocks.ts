/** Cuts a stream into blocks of exactly `size` bytes (the last one may be shorter), whatever its chunks are. */
export async function* cutBlocks(
  bytes: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let block = Buffer.allocUnsafeSlow(size);
  let filled = 0;
  for await (let chunk of bytes) {
    while (chunk.byteLength > 0) {
      // A chunk that is a whole block already passes without being copied.
      if (filled === 0 && chunk.byteLength >= size) {
        yield chunk.subarray(0, size);
        chunk = chunk.subarray(size);
        continue;
      }
      const taken = Math.min(size - filled, chunk.byteLength);
      block.set(chunk.subarray(0, taken), filled);
      filled += taken;
      chunk = chunk.subarray(taken);
      if (filled === size) {
        yield block;
        block = Buffer.allocUnsafeSlow(size);
        filled = 0;
      }
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}
