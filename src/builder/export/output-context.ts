import type { Collaborators } from "../collaborators.ts";
import type { LayerAccess } from "../solve/layer-access.ts";
import type { State } from "../solve/state.ts";
import type { BuildOptions } from "../types.ts";

/** What an output has to work with: the build it belongs to, and what came of it. */
export interface OutputContext extends Collaborators {
  readonly options: BuildOptions;
  readonly layers: LayerAccess;
  readonly states: readonly State[];
  readonly signal: AbortSignal;
}
