import type { BlobOpener, Descriptor } from "../../oci/index.ts";
import type { Clock } from "../clock.ts";
import type { OnRegistryEvent } from "../events.ts";
import type { RetryPolicy } from "../transport/retry.ts";

export interface PushBlobOptions {
  readonly repository: string;
  readonly descriptor: Descriptor;
  readonly open: BlobOpener;
  /** Other repositories of the same registry that may have it, best first. */
  readonly mountFrom: readonly string[];
  readonly signal?: AbortSignal | undefined;
  /** Bytes sent so far in the current try. */
  readonly onSent?: ((sent: number) => void) | undefined;
}

export interface PushBlobDeps {
  readonly clock: Clock;
  readonly policy: RetryPolicy;
  readonly onEvent: OnRegistryEvent | undefined;
}

export type PushBlobResult =
  | { readonly kind: "present" }
  | { readonly kind: "mounted"; readonly from: string }
  | { readonly kind: "uploaded" };
