import type { TempSpace } from "./disk/temp-space.ts";
import type { LockTable } from "./locks/lock-table.ts";
import type { StorePaths } from "./paths.ts";

/** What every part of one open store works with. */
export interface StoreEnvironment {
  readonly paths: StorePaths;
  readonly temp: TempSpace;
  readonly locks: LockTable;
  /** Identifies this run of the kernel: what was written in it is readable, synced or not. */
  readonly bootId: string;
}
