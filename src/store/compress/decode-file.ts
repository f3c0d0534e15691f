import { closeSync, openSync, readSync } from "node:fs";
import { setImmediate } from "node:timers/promises";

/** Reads the next bytes of a file into a buffer from its start on; gives their number, 0 at the end. */
export type ReadNext = (into: Uint8Array) => number;

/**
 * What `decode` makes of a file's bytes. Reads without leaving the thread and lets others run after each chunk, which may be
 * used until the next one is asked for. Closes the file however it ends.
 */
export async function* decodeFile(
  path: string | Buffer,
  decode: (read: ReadNext) => Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const descriptor = openSync(path, "r");
  try {
    // By position: a stream that is being torn down may read once more, and must not move anybody's file on.
    let at = 0;
    const read = (into: Uint8Array): number => {
      const count = readSync(descriptor, into, 0, into.length, at);
      at += count;
      return count;
    };
    for (const chunk of decode(read)) {
      yield chunk;
      await setImmediate();
    }
  } finally {
    closeSync(descriptor);
  }
}
