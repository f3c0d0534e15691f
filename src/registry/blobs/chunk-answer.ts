import { parseUploadRange } from "../transport/content-range.ts";

/** Where an upload in pieces stands. */
export interface ChunkState {
  /** Bytes that the registry has, as far as we know. */
  readonly offset: number;
  /** The count that the registry told last; 0 before it told any. */
  readonly told: number;
}

export type ChunkDecision =
  | { readonly kind: "continue"; readonly state: ChunkState }
  /** What the session holds is unknown or wrong: only a new one helps. */
  | { readonly kind: "restart"; readonly reason: string };

/**
 * How to go on after a piece was accepted. `Range` tells what the registry has; some never move it, so a count that
 * stands still is no news, while one that moved to less than was sent is a short accept.
 */
export function afterChunk(state: ChunkState, sentUpTo: number, range: string | undefined): ChunkDecision {
  const told = toldCount(range);
  if (told === undefined || told === sentUpTo || told <= state.told) {
    return { kind: "continue", state: { offset: sentUpTo, told: told ?? state.told } };
  }
  if (told > sentUpTo) return { kind: "restart", reason: "it has more bytes than were sent" };
  if (told <= state.offset) return { kind: "restart", reason: "it has fewer bytes than before" };
  return { kind: "continue", state: { offset: told, told } };
}

/**
 * How to go on after a piece of which nobody knows how much arrived. Only the registry can tell; without its word the
 * session is lost, because some append whatever comes.
 */
export function afterDoubt(state: ChunkState, sentUpTo: number, range: string | undefined): ChunkDecision {
  const told = storedBytes(range);
  if (told === undefined || told < state.offset || told > sentUpTo) {
    return { kind: "restart", reason: "it does not tell how much it has" };
  }
  return { kind: "continue", state: { offset: told, told } };
}

/** How many bytes a session has that answered with this `Range`; undefined when it does not say. */
export function storedBytes(range: string | undefined): number | undefined {
  return toldCount(range) ?? (parseUploadRange(range) === 0 ? 0 : undefined);
}

/** `0-0` is also what registries say that have nothing yet. */
function toldCount(range: string | undefined): number | undefined {
  const last = parseUploadRange(range);
  return last === undefined || last === 0 ? undefined : last + 1;
}
