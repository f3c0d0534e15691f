/**
 * Milliseconds on a clock that only goes forward, from some point in the past. The `performance` of the platform is the
 * same, and costs a millisecond at the first use, a hundredth of a short run.
 */
export function nowMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}
