import type { Digest } from "../../oci/digest.ts";
import type { Lease, LockTable } from "../locks/lock-table.ts";

/**
 * Which layers this process works with: a shared lock for each, from the first time its folder is handed out until
 * the store is closed or the process is dead. Whoever removes layers must get the lock exclusively.
 */
export class LayerUses {
  readonly #locks: LockTable;
  readonly #held = new Map<Digest, Lease>();

  constructor(locks: LockTable) {
    this.#locks = locks;
  }

  /** Waits only for a removal that is under way. */
  async hold(diffId: Digest): Promise<void> {
    if (this.#held.has(diffId)) return;
    const lease = await this.#locks.acquireLock(lockName(diffId), { mode: "shared" });
    if (this.#held.has(diffId)) lease.release();
    else this.#held.set(diffId, lease);
  }

  /** Runs `work` unless somebody, here or elsewhere, uses the layer; then returns undefined. */
  async unlessUsed<T>(diffId: Digest, work: () => Promise<T>): Promise<T | undefined> {
    const lease = this.#locks.tryLock(lockName(diffId));
    if (lease === undefined) return undefined;
    try {
      return await work();
    } finally {
      lease.release();
    }
  }

  releaseAll(): void {
    for (const lease of this.#held.values()) lease.release();
    this.#held.clear();
  }
}

function lockName(diffId: Digest): string {
  return `use-${diffId}`;
}
