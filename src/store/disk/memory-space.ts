import { statfsSync } from "node:fs";
import type { FlockCalls } from "../../sys/flock.ts";
import { StoreError } from "../error.ts";
import { TempSpace } from "./temp-space.ts";

/** `f_type` of tmpfs and ramfs. */
const MEMORY_FILE_SYSTEMS = [0x01021994, 0x858458f6];

const PREFIX = "strake-";

/**
 * This process's own folder on a file system in memory, made at first use, for what must not reach a disk: secrets. Other
 * users share its root. Like every temporary folder it is locked, and removed by the next process of this user when its own
 * is dead.
 */
export class MemorySpace {
  readonly #spaces: readonly TempSpace[];
  readonly #fallback: TempSpace;
  #own: TempSpace | undefined;

  /** @param roots folders to try, the best first; those that are not in memory don't count */
  constructor(
    roots: readonly string[],
    { calls, fallback }: { readonly calls: () => FlockCalls; readonly fallback: TempSpace },
  ) {
    this.#spaces = roots.filter(isInMemory).map((root) => new TempSpace(root, calls, { prefix: PREFIX }));
    this.#fallback = fallback;
  }

  /**
   * The folder, mode 0700; on disk where no root will do.
   * @throws {StoreError} STORE_NOT_WRITABLE, DISK_FULL, DISK_FAILED
   */
  get dir(): string {
    this.#own ??= this.#choose();
    return this.#own.dir;
  }

  looksAbandoned(): boolean {
    return this.#spaces.some((space) => space.looksAbandoned());
  }

  async cleanUp(signal: AbortSignal): Promise<void> {
    for (const space of this.#spaces) await space.cleanUp(signal).catch(() => undefined);
  }

  async close(): Promise<void> {
    const own = this.#own;
    this.#own = undefined;
    if (own !== this.#fallback) await own?.close();
  }

  #choose(): TempSpace {
    for (const space of this.#spaces) {
      try {
        space.prepare();
        return space;
      } catch (error) {
        // Read-only, full, or not for us.
        if (!(error instanceof StoreError)) throw error;
      }
    }
    return this.#fallback;
  }
}

function isInMemory(root: string): boolean {
  try {
    return MEMORY_FILE_SYSTEMS.includes(statfsSync(root).type);
  } catch {
    return false;
  }
}
