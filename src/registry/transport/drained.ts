import type { Writable } from "node:stream";
import { NetworkError } from "./network-error.ts";

/** A server that takes less than this much in the time in which something must move is given up. */
const LEAST_BYTES_PER_WINDOW = 60 * 1024;

/**
 * Waits until a server has taken what was written, or has answered, or is gone. One that takes a byte now and then
 * never stands still; so what was written last must be gone at a least pace.
 * @param bytes what was written last
 * @param windowMs how long nothing may move; ends the stream with a NetworkError when it goes slower than a window's least
 */
export function drained(outgoing: Writable, bytes: number, windowMs: number): Promise<void> {
  return atLeastPace(outgoing, { bytes, windowMs }, (done) => outgoing.once("drain", done));
}

/**
 * Writes, and waits in the same way until nothing of it is left in this process.
 * @param ahead bytes that the system has got without this stream, which go out before
 */
export function untilTaken(
  outgoing: Writable,
  piece: Uint8Array,
  { ahead, windowMs }: { readonly ahead: number; readonly windowMs: number },
): Promise<void> {
  return atLeastPace(outgoing, { bytes: ahead + piece.byteLength, windowMs }, (done) =>
    outgoing.write(piece, (error) => {
      // What could not be written is not taken; the stream is about to close.
      if (error == null) done();
    }),
  );
}

function atLeastPace(
  outgoing: Writable,
  { bytes, windowMs }: { readonly bytes: number; readonly windowMs: number },
  start: (done: () => void) => void,
): Promise<void> {
  return new Promise((resolve) => {
    const events = ["drain", "close", "response"] as const;
    const done = (): void => {
      clearTimeout(timer);
      for (const event of events) outgoing.off(event, done);
      resolve();
    };
    const limitMs = windowMs * (1 + bytes / LEAST_BYTES_PER_WINDOW);
    const timer = setTimeout(() => {
      const seconds = Math.round(limitMs / 1000);
      outgoing.destroy(
        new NetworkError("timeout", `the server took less than ${bytes} bytes in ${seconds} s`),
      );
    }, limitMs);
    outgoing.on("close", done).on("response", done);
    start(done);
  });
}
