import { childIdentity, imageIdentity, SCRATCH_IDENTITY } from "../../cache/index.ts";
import type { Digest } from "../../oci/index.ts";

/** A layer of a state; `createdAt` (RFC 3339) is known for layers made by steps. */
export interface StateLayer {
  readonly diffId: Digest;
  readonly createdAt?: string;
}

/** A file system: a stack of layers, bottom first, and what the whole is called in cache keys. */
export interface State {
  readonly layers: readonly StateLayer[];
  readonly identity: Digest;
}

export const SCRATCH_STATE: State = { layers: [], identity: SCRATCH_IDENTITY };

/** The state that a base image's layers make. */
export function imageState(diffIds: readonly Digest[]): State {
  return { layers: diffIds.map((diffId) => ({ diffId })), identity: imageIdentity(diffIds) };
}

/** A state with one more layer on top. */
export function stateAfter(parent: State, layer: StateLayer & { readonly identity: Digest }): State {
  const { identity, ...rest } = layer;
  return { layers: [...parent.layers, rest], identity };
}

export { childIdentity };
