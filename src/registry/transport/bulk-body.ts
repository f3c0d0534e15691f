import type { BulkConnection } from "./bulk-connection.ts";
import { NetworkError } from "./network-error.ts";
import type { BodyFraming } from "./response-head.ts";

const MAX_LINE_BYTES = 8192;
const MAX_TRAILER_LINES = 100;

/**
 * The bytes of one body, however it is framed. Ends normally only at the body's own end; what comes after it stays in
 * the connection.
 * @throws {NetworkError}
 */
export async function* readFramed(
  connection: BulkConnection,
  framing: BodyFraming,
  timeoutMs: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  switch (framing.kind) {
    case "length":
      yield* readExactly(connection, framing.bytes, timeoutMs);
      return;
    case "chunked":
      yield* readChunked(connection, timeoutMs);
      return;
    case "until-close":
      for (;;) {
        const chunk = await connection.read(timeoutMs, Number.POSITIVE_INFINITY);
        if (chunk === undefined) return;
        yield chunk;
      }
    default:
      framing satisfies never;
  }
}

async function* readExactly(
  connection: BulkConnection,
  bytes: number,
  timeoutMs: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let left = bytes;
  while (left > 0) {
    const chunk = await readMore(connection, timeoutMs, left);
    const wanted = chunk.byteLength > left ? chunk.subarray(0, left) : chunk;
    if (wanted !== chunk) connection.unread(chunk.subarray(left));
    left -= wanted.byteLength;
    yield wanted;
  }
}

/** @see https://www.rfc-editor.org/rfc/rfc9112#section-7.1 */
async function* readChunked(
  connection: BulkConnection,
  timeoutMs: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (;;) {
    const line = await readLine(connection, timeoutMs);
    const size = /^([0-9a-f]{1,12})[ \t]*(?:;.*)?$/i.exec(line)?.[1];
    if (size === undefined) throw garbled();
    const bytes = Number.parseInt(size, 16);
    if (bytes === 0) break;
    yield* readExactly(connection, bytes, timeoutMs);
    if ((await readLine(connection, timeoutMs)) !== "") throw garbled();
  }
  for (let i = 0; i < MAX_TRAILER_LINES; i++) {
    if ((await readLine(connection, timeoutMs)) === "") return;
  }
  throw garbled();
}

async function readLine(connection: BulkConnection, timeoutMs: number): Promise<string> {
  let received: Buffer = Buffer.alloc(0);
  for (;;) {
    const end = received.indexOf("\r\n");
    if (end >= 0) {
      connection.unread(received.subarray(end + 2));
      return received.subarray(0, end).toString("latin1");
    }
    if (received.byteLength > MAX_LINE_BYTES) throw garbled();
    const chunk = await readMore(connection, timeoutMs);
    const more = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    received = received.byteLength === 0 ? more : Buffer.concat([received, more]);
  }
}

async function readMore(connection: BulkConnection, timeoutMs: number, wanted = 1): Promise<Uint8Array> {
  const chunk = await connection.read(timeoutMs, wanted);
  if (chunk === undefined) throw new NetworkError("reset", "the connection was closed too early");
  return chunk;
}

function garbled(): NetworkError {
  return new NetworkError("protocol", "the server garbled the length of its answer");
}
