import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { toByteString } from "../../oci/index.ts";
import { decompress } from "../../store/index.ts";
import { unpackLayer } from "../../store/layers/index.ts";
import { COMPRESSION_MAGIC_BYTES, detectCompression, TarError } from "../../tar/index.ts";
import { isDamage } from "../../util/decompress/is-damage.ts";
import { BuildError } from "../error.ts";

/** An archive that comes as a stream, or lies in a file, and what messages call it. */
export type ContextArchive = { readonly shownAs: string } & (
  | { readonly stream: AsyncIterable<Uint8Array> }
  | { readonly file: string }
);

/**
 * Unpacks a context that came as a tar, plain or compressed with gzip, bzip2 or zstd, into a folder of its own below
 * `tmpDir`; returns it. The archive is treated like a layer: nothing leaves the folder, and of several entries for one
 * path the last counts.
 * @throws {BuildError} INPUT_MISSING when it is no tar, or a damaged one
 */
export async function unpackContext(
  archive: ContextArchive,
  tmpDir: string,
  signal: AbortSignal,
): Promise<string> {
  const root = await mkdtemp(join(tmpDir, "context-"));
  try {
    const bytes = "file" in archive ? readFile(archive.file) : readStream(archive.stream, tmpDir, signal);
    await unpackLayer(bytes, root, { signal });
  } catch (cause) {
    signal.throwIfAborted();
    if (!(cause instanceof TarError || isDamage(cause))) throw cause;
    throw new BuildError("INPUT_MISSING", `Cannot read the build context: ${cause.message}`, {
      hint: `${archive.shownAs} must be a tar (plain, gzip, bzip2 or zstd) or a Dockerfile`,
      cause,
    });
  }
  return root;
}

async function* readFile(path: string): AsyncGenerator<Uint8Array> {
  const head = await firstBytes(path);
  refuseXz(head);
  if (detectCompression(head) === "bzip2") {
    const { readArchive } = await import("../files/archive/archive-file.ts");
    yield* readArchive(toByteString(path));
  } else {
    yield* decompress(createReadStream(path, { highWaterMark: 1 << 20 }));
  }
}

/** What layers may be compressed with is unpacked on its way; the rest needs a file. */
async function* readStream(
  stream: AsyncIterable<Uint8Array>,
  tmpDir: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const iterator = stream[Symbol.asyncIterator]();
  let head: Uint8Array = new Uint8Array();
  while (head.length < COMPRESSION_MAGIC_BYTES) {
    const next = await iterator.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  refuseXz(head);
  const whole = joined(head, iterator);
  if (detectCompression(head) !== "bzip2") {
    yield* decompress(whole);
    return;
  }
  const folder = await mkdtemp(join(tmpDir, "context-archive-"));
  try {
    await pipeline(whole, createWriteStream(join(folder, "archive")), { signal });
    yield* readFile(join(folder, "archive"));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function* joined(
  head: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield head;
  yield* { [Symbol.asyncIterator]: () => rest };
}

async function firstBytes(path: string): Promise<Uint8Array> {
  const { open } = await import("node:fs/promises");
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(
    Buffer.alloc(COMPRESSION_MAGIC_BYTES),
    0,
    COMPRESSION_MAGIC_BYTES,
    0,
  );
  return buffer.subarray(0, bytesRead);
}

function refuseXz(head: Uint8Array): void {
  if (detectCompression(head) !== "xz") return;
  throw new BuildError("UNSUPPORTED", "Cannot read a build context compressed with xz", {
    hint: "Decompress it on the way: xz -dc context.tar.xz | strake build -",
  });
}
