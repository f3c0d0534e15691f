/** How a download went lately, and what it has to compare with. Rates are bytes per second. */
export interface StreamSample {
  /** Connections that it uses now. */
  readonly streams: number;
  readonly elapsedMs: number;
  /** Of this time, how much was spent waiting for bytes; the rest was hashing, writing and the like. */
  readonly waitedMs: number;
  readonly ownRate: number;
  /** Of all downloads together: what one takes from the others is no gain. */
  readonly totalRate: number;
  readonly bytesLeft: number;
  /** Connections that may be added. */
  readonly free: number;
  /** How it went with fewer connections, where more are on trial. */
  readonly before?: StreamBaseline | undefined;
}

export interface StreamBaseline {
  readonly streams: number;
  readonly ownRate: number;
  readonly totalRate: number;
}

/** Most connections for one blob. */
const MAX_STREAMS = 4;
/** Less than this is there before a second connection has come up to speed. */
export const LEAST_LEFT_BYTES = 64 * 1024 * 1024;

/** How long one connection is watched: until it has come up to speed, some seconds on a long line. */
const WATCH_MS = 3_000;
const TRIAL_MS = 2_000;
/** What is faster than this in all is not slowed by a connection, and another one costs more than it brings. */
const FAST_RATE = 40_000_000;
/** A reader that waits less than this share of its time is the limit itself: disk or processor. */
const LEAST_WAITING = 0.6;
/** Twice the connections bring twice as much where each is limited, and hardly more where the line is. */
const LEAST_GAIN = 0.3;

/**
 * How many connections a large blob is to be read over from now on; undefined while it is too early to tell. The same
 * number as now: it stays so. The number of `before`: more did not help.
 */
export function decideStreams(sample: StreamSample): number | undefined {
  const { streams, elapsedMs, ownRate, totalRate, before } = sample;
  if (elapsedMs < (before === undefined ? WATCH_MS : TRIAL_MS)) return undefined;
  if (before !== undefined && totalRate - before.totalRate < LEAST_GAIN * before.ownRate)
    return before.streams;
  const { bytesLeft, waitedMs, free } = sample;
  if (ownRate >= FAST_RATE || totalRate >= FAST_RATE || bytesLeft < LEAST_LEFT_BYTES) return streams;
  if (waitedMs < LEAST_WAITING * elapsedMs) return streams;
  return Math.min(MAX_STREAMS, streams * 2, streams + free);
}
