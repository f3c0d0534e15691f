import type { ByteString } from "../../oci/index.ts";
import type { MergedTree } from "../../store/layers/index.ts";

/** The files of one platform's result, and where they go. */
export interface ExportedTree {
  readonly tree: MergedTree;
  readonly platform: string;
  /** `linux_arm_v7`, or nothing. */
  readonly folder: ByteString;
  /** The time of everything, where SOURCE_DATE_EPOCH was given. */
  readonly epochSeconds: number | undefined;
}
