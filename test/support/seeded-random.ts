import { createHash } from "node:crypto";

/** The seed that a run was given, else a fixed one: what fails can be had again. */
export function testSeed(fallback = 1): number {
  return Number(process.env["STRAKE_TEST_SEED"] ?? fallback);
}

/** Numbers from 0 up to 1, the same for the same seed. */
export function seededRandom(seed: number | string): () => number {
  let count = 0;
  return () => hashedRandom(`${seed} ${count++}`);
}

/** One number from 0 up to 1 that belongs to a text, whatever else has been asked before. */
export function hashedRandom(text: string): number {
  return createHash("sha256").update(text).digest().readUInt32BE(0) / 2 ** 32;
}

/** An element by a number from 0 up to 1. */
export function pick<T>(items: readonly T[], random: number): T {
  const item = items[Math.floor(random * items.length)];
  if (item === undefined) throw new RangeError("nothing to pick from");
  return item;
}
