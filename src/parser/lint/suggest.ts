import { isAscii } from "../text/case.ts";

/** What is further away is no typing mistake. */
const LIMIT = 3;

/**
 * The first of the closest names by edit distance (case counts; no swaps), if it is close enough. undefined also where
 * the name itself is among them.
 */
export function suggestName(name: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = LIMIT;
  for (const candidate of candidates) {
    if (candidate === name) return undefined;
    const distance = levenshtein(name, candidate, bestDistance);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Insertions, deletions and replacements between two words; `limit` if it is at least that. */
function levenshtein(left: string, right: string, limit: number): number {
  const a = isAscii(left) ? left : [...left];
  const b = isAscii(right) ? right : [...right];
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (last[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replace, (last[j] as number) + 1, (row[j - 1] as number) + 1));
    }
    if (Math.min(...row) >= limit) return limit;
    last = row;
  }
  return last[b.length] as number;
}
