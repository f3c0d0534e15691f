import type { HistoryEntry, Platform, RuntimeConfig } from "../../oci/index.ts";
import type { StateVertex } from "./vertex.ts";

/** A history entry to be: its time is known when its layer is. */
export interface PlannedHistory {
  readonly createdBy: string;
  readonly emptyLayer: boolean;
  /** A layer that no instruction made: it has an entry only as one that is missing otherwise, behind all others. */
  readonly isUnrecorded?: true;
}

/** An image to be: everything about it but its layers. */
export interface PlannedImage {
  readonly platform: Platform;
  readonly author?: string;
  readonly config: RuntimeConfig;
  /** Of the base image, as it is there. */
  readonly baseHistory: readonly HistoryEntry[];
  /** How many layers the base image has. */
  readonly baseLayers: number;
  readonly history: readonly PlannedHistory[];
}

/** What to build: the target's image and the vertex whose state is its file system. */
export interface Plan {
  readonly image: PlannedImage;
  readonly result: StateVertex;
  /** Seconds since the epoch, where SOURCE_DATE_EPOCH was given. */
  readonly epochSeconds?: number;
}
