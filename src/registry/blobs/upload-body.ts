import {
  type BlobBytes,
  type BlobOpener,
  type Descriptor,
  type FileBytes,
  OciError,
} from "../../oci/index.ts";
import { lazily } from "../../util/lazily.ts";
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
  const opened = lazily((): Promise<BlobBytes> => open({ offset, transient: true, signal }));
  return { size: end - offset, chunks: chunks(), openFile };

  async function openFile(): Promise<FileBytes | undefined> {
    // Of pieces each one's source is opened for itself, up to the blob's end.
    const file = end === descriptor.size ? await (await opened()).openFile?.() : undefined;
    if (file === undefined) return undefined;
    if (file.left !== end - offset) {
      await file.close();
      throw wrongSize(descriptor, file.left > end - offset ? "more" : "fewer");
    }
    return watched(file, descriptor, () => onSent?.(end - file.left));
  }

  async function* chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    let at = offset;
    if (at === end) return;
    for await (const chunk of joinChunks(await opened(), descriptor.size - offset)) {
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

/**
 * Tells of bytes when they are gone: those that were read are when more is asked for, by the reader or for a socket.
 * Notices a file that was cut.
 */
function watched(file: FileBytes, descriptor: Descriptor, report: () => void): FileBytes {
  return {
    get left() {
      return file.left;
    },
    async send(socket, maxBytes) {
      const sent = await file.send(socket, maxBytes);
      report();
      return sent;
    },
    async read(maxBytes) {
      report();
      const piece = await file.read(maxBytes);
      // Whoever sends would wait for ever for what is not there.
      if (piece.byteLength === 0) throw wrongSize(descriptor, "fewer");
      return piece;
    },
    close: () => file.close(),
  };
}

function wrongSize({ digest, size }: Descriptor, how: "more" | "fewer"): OciError {
  return new OciError(
    "BLOB_CORRUPT",
    `Cannot push blob "${digest}": its source has ${how} than the ${size} bytes of its descriptor`,
  );
}
