import { corrupt } from "./error.ts";

/** A table of zstd's finite state entropy code (RFC 8878, 4.1): what each state stands for and how it goes on. */
export interface FseTable {
  readonly accuracyLog: number;
  readonly symbols: Uint8Array;
  readonly bitCounts: Uint8Array;
  readonly nextStates: Uint16Array;
}

/** Builds the table of a normalised distribution; -1 stands for "less than one". */
export function buildFseTable(distribution: ArrayLike<number>, accuracyLog: number): FseTable {
  const size = 1 << accuracyLog;
  const symbols = new Uint8Array(size);
  const nextOfSymbol = new Uint16Array(distribution.length);
  let high = size - 1;
  for (let symbol = 0; symbol < distribution.length; symbol++) {
    const count = distribution[symbol] as number;
    nextOfSymbol[symbol] = count === -1 ? 1 : count;
    if (count === -1) symbols[high--] = symbol;
  }
  const step = (size >> 1) + (size >> 3) + 3;
  let at = 0;
  for (let symbol = 0; symbol < distribution.length; symbol++) {
    for (let i = 0; i < (distribution[symbol] as number); i++) {
      symbols[at] = symbol;
      do at = (at + step) & (size - 1);
      while (at > high);
    }
  }
  const bitCounts = new Uint8Array(size);
  const nextStates = new Uint16Array(size);
  for (let state = 0; state < size; state++) {
    const symbol = symbols[state] as number;
    const next = nextOfSymbol[symbol] as number;
    nextOfSymbol[symbol] = next + 1;
    const bitCount = accuracyLog - (31 - Math.clz32(next));
    bitCounts[state] = bitCount;
    nextStates[state] = (next << bitCount) - size;
  }
  return { accuracyLog, symbols, bitCounts, nextStates };
}

/** The table in which every step gives the same symbol and takes no bits. */
export function constantFseTable(symbol: number): FseTable {
  return {
    accuracyLog: 0,
    symbols: Uint8Array.of(symbol),
    bitCounts: Uint8Array.of(0),
    nextStates: Uint16Array.of(0),
  };
}

/**
 * Reads a table description (RFC 8878, 4.1.1).
 * @returns the table and the offset behind its description
 */
export function readFseTable(
  bytes: Uint8Array,
  start: number,
  limits: { readonly end: number; readonly maxAccuracyLog: number; readonly maxSymbol: number },
): { readonly table: FseTable; readonly end: number } {
  let bit = start * 8;
  const read = (width: number): number => {
    let value = 0;
    for (let i = 0; i < width; i++, bit++) value |= (((bytes[bit >> 3] ?? 0) >> (bit & 7)) & 1) << i;
    return value;
  };

  const accuracyLog = read(4) + 5;
  if (accuracyLog > limits.maxAccuracyLog) throw corrupt("zstd", "accuracy of a table is too large");
  const distribution: number[] = [];
  let remaining = (1 << accuracyLog) + 1;
  while (remaining > 1) {
    if (distribution.length > limits.maxSymbol) throw corrupt("zstd", "table has too many symbols");
    // Values up to `remaining` take one of two lengths, so that none is wasted.
    const width = 32 - Math.clz32(remaining);
    const threshold = (1 << width) - 1 - remaining;
    let value = read(width - 1);
    if (value >= threshold) {
      value |= read(1) << (width - 1);
      if (value >= 1 << (width - 1)) value -= threshold;
    }
    const count = value - 1;
    remaining -= Math.abs(count);
    distribution.push(count);
    if (count !== 0) continue;
    for (let zeros = 3; zeros === 3; ) {
      zeros = read(2);
      for (let i = 0; i < zeros; i++) distribution.push(0);
    }
  }
  const end = (bit + 7) >> 3;
  if (remaining !== 1 || end > limits.end || distribution.length > limits.maxSymbol + 1)
    throw corrupt("zstd", "table does not add up");
  return { table: buildFseTable(distribution, accuracyLog), end };
}
