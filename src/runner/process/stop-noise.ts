/**
 * What unshare of util-linux says when its child was killed by SIGKILL, as we do it to stop a run: it would have the
 * same signal end itself, and SIGKILL can't be unblocked.
 */
const NOISE = "unshare: sigprocmask unblock failed: Invalid argument\n";

/** What a run that is being stopped writes to its stderr, without what is said about the stopping itself. */
export function withoutStopNoise(chunk: Uint8Array): Uint8Array {
  const text = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const start = text.indexOf(NOISE);
  return start < 0 ? chunk : Buffer.concat([text.subarray(0, start), text.subarray(start + NOISE.length)]);
}
