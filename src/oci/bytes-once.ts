/** Bytes in memory as a blob is read: in one chunk, or none where there are none. */
export async function* bytesOnce(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  if (bytes.byteLength > 0) yield bytes;
}
