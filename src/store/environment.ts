import type { Machine } from "./disk/machine.ts";
import type { MemorySpace } from "./disk/memory-space.ts";
import type { TempSpace } from "./disk/temp-space.ts";
import type { LockTable } from "./locks/lock-table.ts";
import type { StorePaths } from "./paths.ts";

/** What every part of one open store works with. */
export interface StoreEnvironment {
  readonly paths: StorePaths;
  readonly temp: TempSpace;
  readonly memory: MemorySpace;
  readonly locks: LockTable;
  readonly machine: Machine;
  /** Where programs are looked for, as in PATH. */
  readonly searchPath: string;
}
