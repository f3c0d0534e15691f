import { createWriteStream, type WriteStream } from "node:fs";
import { realpath, rename, rm, stat } from "node:fs/promises";
import { finished } from "node:stream/promises";
import type { WritableTarget } from "../types.ts";

/**
 * Writes a file that appears whole or not at all. What is there and is no regular file, a device or a pipe, is
 * written to: renaming something onto /dev/null would take it away from everybody.
 */
export async function writeWholeFile(
  destination: string,
  write: (target: WritableTarget) => Promise<void>,
): Promise<void> {
  const path = await realpath(destination).catch(() => destination);
  const existing = await stat(path).catch(() => undefined);
  if (existing !== undefined && !existing.isFile()) return writeStream(createWriteStream(path), write);
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await writeStream(createWriteStream(temporary), write);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function writeStream(
  stream: WriteStream,
  write: (target: WritableTarget) => Promise<void>,
): Promise<void> {
  const closed = finished(stream);
  closed.catch(() => undefined);
  try {
    const isFull = (chunk: Uint8Array): boolean => !stream.write(chunk);
    await write({
      write: async (chunk) => {
        if (stream.errored !== null) throw stream.errored;
        if (!isFull(chunk)) return;
        await Promise.race([new Promise<void>((resolve) => stream.once("drain", () => resolve())), closed]);
      },
    });
    stream.end();
    await closed;
  } catch (error) {
    stream.destroy();
    // The stream has to let go of the file before it is removed.
    await closed.catch(() => undefined);
    throw error;
  }
}
