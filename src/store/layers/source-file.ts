import { closeSync, constants, openSync, readSync } from "node:fs";
import { open } from "node:fs/promises";
import type { LayerEntry } from "../../oci/layer-entry.ts";
import { fsPath } from "../../sys/index.ts";
import { LayerError, showPath } from "./error.ts";
import type { SourcedEntry } from "./types.ts";

/** Files up to this are read in one synchronous call, which costs a fifth of an asynchronous one. */
export const SMALL_FILE_BYTES: number = 256 * 1024;
export const CHUNK_BYTES: number = 1024 * 1024;

/** Never through a symlink, and without waiting for the other end of a FIFO, put there after the entry was made. */
export const OPEN_SOURCE: number = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** `found` is how many bytes there were; undefined for "more". */
function fileChanged(entry: LayerEntry, found: number | undefined): LayerError {
  const state = found === undefined ? "more" : String(found);
  return new LayerError(
    "FILE_CHANGED",
    `Cannot pack ${showPath(entry.path)}: it has ${state} bytes instead of ${entry.size}`,
    { hint: "The file changed while it was read: run the build again when nothing writes to it" },
  );
}

function sourceFailed(entry: LayerEntry, cause: unknown): unknown {
  const code = (cause as { code?: unknown }).code;
  if (code !== "ENOENT" && code !== "ENOTDIR" && code !== "ELOOP" && code !== "ENXIO") return cause;
  return new LayerError(
    "FILE_CHANGED",
    `Cannot pack ${showPath(entry.path)}: its source is no file any more (${code})`,
    { hint: "The file changed while it was read: run the build again when nothing writes to it", cause },
  );
}

/** Reads a whole small file into `buffer` at `at`; one byte more is asked for, to notice one that grew, so there must be room for it. */
export function readSmall(entry: SourcedEntry, buffer: Buffer, at: number): void {
  const content = contentOf(entry);
  if (content.kind === "bytes") {
    if (content.bytes.length !== entry.size) throw fileChanged(entry, content.bytes.length);
    buffer.set(content.bytes, at);
    return;
  }
  if (entry.size === 0) return;
  let fd: number;
  try {
    fd = openSync(fsPath(content.hostPath), OPEN_SOURCE);
  } catch (cause) {
    throw sourceFailed(entry, cause);
  }
  try {
    const count = readSync(fd, buffer, at, entry.size + 1, null);
    if (count !== entry.size) throw fileChanged(entry, count > entry.size ? undefined : count);
  } finally {
    closeSync(fd);
  }
}

export async function* readLarge(entry: SourcedEntry, isKept: boolean): AsyncGenerator<Uint8Array> {
  const content = contentOf(entry);
  if (content.kind === "bytes") {
    if (content.bytes.length !== entry.size) throw fileChanged(entry, content.bytes.length);
    yield content.bytes;
    return;
  }
  const handle = await open(fsPath(content.hostPath), OPEN_SOURCE).catch((cause: unknown) => {
    throw sourceFailed(entry, cause);
  });
  try {
    // Two buffers: while one is hashed, the other is being filled.
    const spare = isKept
      ? undefined
      : [Buffer.allocUnsafeSlow(CHUNK_BYTES), Buffer.allocUnsafeSlow(CHUNK_BYTES)];
    let turn = 0;
    const read = () =>
      handle.read(spare?.[turn++ % 2] ?? Buffer.allocUnsafeSlow(CHUNK_BYTES), 0, CHUNK_BYTES);
    let done = 0;
    let pending = read();
    for (;;) {
      const { bytesRead, buffer } = await pending;
      if (bytesRead === 0) break;
      done += bytesRead;
      if (done > entry.size) throw fileChanged(entry, undefined);
      pending = read();
      pending.catch(() => undefined); // awaited at the next turn, unless the reader leaves
      yield buffer.subarray(0, bytesRead);
    }
    if (done !== entry.size) throw fileChanged(entry, done);
  } finally {
    await handle.close();
  }
}

function contentOf(entry: SourcedEntry): NonNullable<SourcedEntry["content"]> {
  if (entry.content !== undefined) return entry.content;
  throw new TypeError(`Layer entry ${JSON.stringify(entry.path)} is a file without content`);
}
