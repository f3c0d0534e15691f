import { nearest } from "../../util/nearest.ts";

/** The candidate that a word on the command line was most likely meant to be, or undefined when none is near. */
export function suggest(word: string, candidates: readonly string[]): string | undefined {
  const near = nearest(word, candidates);
  // A word cut short is nearer in spirit than its edit distance says: `--no-cache-f`.
  if (near !== undefined || word.length < 3) return near;
  return candidates.find((candidate) => candidate.startsWith(word));
}
