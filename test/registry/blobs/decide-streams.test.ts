import { expect, test } from "vitest";
import { decideStreams, type StreamSample } from "../../../src/registry/blobs/decide-streams.ts";

const MB = 1_000_000;

/** One connection that is waited for, of which enough is known. */
const SLOW: StreamSample = {
  streams: 1,
  elapsedMs: 3_000,
  waitedMs: 2_900,
  ownRate: 5 * MB,
  totalRate: 5 * MB,
  bytesLeft: 500 * MB,
  free: 4,
};
const ONE = { streams: 1, ownRate: 5 * MB, totalRate: 5 * MB };
const ON_TRIAL: StreamSample = { ...SLOW, streams: 2, elapsedMs: 2_000, before: ONE };
const TWO = { streams: 2, ownRate: 10 * MB, totalRate: 10 * MB };

test.each<[string, StreamSample, number | undefined]>([
  ["one that is slow gets a second", SLOW, 2],
  ["… but not before it has come up to speed", { ...SLOW, elapsedMs: 2_999 }, undefined],
  ["one that is fast stays alone", { ...SLOW, ownRate: 41 * MB, totalRate: 41 * MB }, 1],
  ["one beside others that fill the line stays alone", { ...SLOW, totalRate: 41 * MB }, 1],
  ["one that is nearly through stays alone", { ...SLOW, bytesLeft: 60 * MB }, 1],
  ["one whose reader is the limit stays alone", { ...SLOW, waitedMs: 1_700 }, 1],
  ["one stays alone where others have all connections", { ...SLOW, free: 0 }, 1],
  ["a trial takes its time", { ...ON_TRIAL, elapsedMs: 1_999, totalRate: 10 * MB }, undefined],
  ["two that are twice as fast become four", { ...ON_TRIAL, totalRate: 10 * MB }, 4],
  ["two that bring a little more become four", { ...ON_TRIAL, totalRate: 6.6 * MB }, 4],
  ["two that bring hardly more become one", { ...ON_TRIAL, totalRate: 6.4 * MB }, 1],
  ["two that take from another download become one", { ...ON_TRIAL, ownRate: 9 * MB, totalRate: 5 * MB }, 1],
  ["two become as many as there are", { ...ON_TRIAL, totalRate: 10 * MB, free: 1 }, 3],
  ["two that are enough stay", { ...ON_TRIAL, totalRate: 45 * MB }, 2],
  ["two that are nearly through stay", { ...ON_TRIAL, totalRate: 10 * MB, bytesLeft: 60 * MB }, 2],
  ["four that bring more stay", { ...ON_TRIAL, streams: 4, before: TWO, totalRate: 20 * MB }, 4],
  ["four that bring hardly more become two", { ...ON_TRIAL, streams: 4, before: TWO, totalRate: 11 * MB }, 2],
])("%s", (_name, sample, expected) => {
  expect(decideStreams(sample)).toBe(expected);
});
