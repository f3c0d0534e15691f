import { type BlobOpener, type Descriptor, OciError } from "../../oci/index.ts";
import type { RequestBody } from "../transport/exchange.ts";

/** Small pieces are joined up to this: each write costs a system call, and TLS a record. */
const WRITE_BYTES = 1024 * 1024;
/** Pieces of this size pass as they are: joining them costs more than it saves. */
const LARGE_BYTES = 256 * 1024;

/**
 * The body of an upload, opened anew for every try. Counts what is sent, and fails when the source has not exactly the
 * bytes that the descriptor says: the server would wait for the rest, or take less than it should.
 */
export function uploadBody(
  descriptor: Descriptor,
  open: BlobOpener,
  options: {
    readonly offset?: number;
    readonly end?: number;
    readonly signal?: AbortSignal | undefined;
    readonly onSent?: ((offset: number) => void) | undefined;
  } = {},
): RequestBody {
  const { offset = 0, end = descriptor.size, signal, onSent } = options;
  return { size: end - offset, chunks: chunks() };

  async function* chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    let at = offset;
    if (at === end) return;
    const bytes = await open({ offset, transient: true, signal });
    for await (const chunk of joinChunks(bytes, descriptor.size - offset)) {
      const piece = at + chunk.byteLength > end ? chunk.subarray(0, end - at) : chunk;
      if (piece.byteLength < chunk.byteLength && end === descriptor.size) throw wrongSize(descriptor, "more");
      yield piece;
      at += piece.byteLength;
      onSent?.(at);
      if (at === end && end < descriptor.size) return;
    }
    if (at < end) throw wrongSize(descriptor, "fewer");
  }
}

/**
 * The same bytes in pieces that are worth a write each. What is given out is done with when the next piece is asked for:
 * large ones wait until the system has them, and small ones are copies. So the source may use its memory again.
 * @param expectedBytes how much will come; no more memory is taken than that needs
 */
export async function* joinChunks(
  bytes: AsyncIterable<Uint8Array>,
  expectedBytes: number = WRITE_BYTES,
): AsyncGenerator<Uint8Array, void, undefined> {
  let joined: Uint8Array | undefined;
  let size = 0;
  for await (const chunk of bytes) {
    const isLarge = chunk.byteLength >= LARGE_BYTES;
    if (joined !== undefined && (isLarge || size + chunk.byteLength > joined.byteLength)) {
      yield joined.subarray(0, size);
      joined = undefined;
      size = 0;
    }
    if (isLarge) {
      yield chunk;
      continue;
    }
    joined ??= Buffer.allocUnsafeSlow(Math.max(chunk.byteLength, Math.min(WRITE_BYTES, expectedBytes)));
    joined.set(chunk, size);
    size += chunk.byteLength;
  }
  if (joined !== undefined && size > 0) yield joined.subarray(0, size);
}

function wrongSize({ digest, size }: Descriptor, how: "more" | "fewer"): OciError {
  return new OciError(
    "BLOB_CORRUPT",
    `Cannot push blob "${digest}": its source has ${how} than the ${size} bytes of its descriptor`,
  );
}
