import { isAbsolute } from "node:path";
import { bindFlock, type FlockCalls } from "../sys/flock.ts";
import { DiskBlobStore } from "./blobs/blob-store.ts";
import { cleanUp } from "./disk/clean-up.ts";
import { type Machine, thisMachine } from "./disk/machine.ts";
import { MemorySpace } from "./disk/memory-space.ts";
import { TempSpace } from "./disk/temp-space.ts";
import type { StoreEnvironment } from "./environment.ts";
import { openFormat } from "./format.ts";
import { DiskLayerStore } from "./forms/layer-store.ts";
import { DiskImageStore } from "./images/image-store.ts";
import { type Lease, type LockOptions, LockTable } from "./locks/lock-table.ts";
import { StorePaths } from "./paths.ts";
import type { BlobStore, ImageStore, LayerStore } from "./types.ts";

/** How long closing waits for the removal of what others left. */
const MAX_CLEANING_MS = 2000;

export interface OpenStoreOptions {
  readonly signal?: AbortSignal | undefined;
  /** The machine that this process runs on when absent. */
  readonly machine?: Machine;
  /** Folders on file systems in memory, the best first, where what must not reach a disk can lie. */
  readonly memoryRoots?: readonly string[];
  /** Folders in which programs are looked for, as in PATH: `zstd`, which Node.js can't compress with before 22.15. */
  readonly searchPath?: string;
}

const SEARCH_PATH = "/usr/local/bin:/usr/bin:/bin";

/** There on every Linux, but in some containers. */
const MEMORY_ROOTS = ["/dev/shm"];

/**
 * Images, layers and blobs on disk, for any number of processes at once. The folder is an OCI image layout with more
 * beside it; docs/store.md says what lies where and what survives what.
 *
 * ```ts
 * await using store = await Store.open("/var/lib/strake");
 * const image = await store.images.find("docker.io/library/busybox:latest");
 * ```
 */
export class Store implements AsyncDisposable {
  /** The folder, absolute. */
  readonly root: string;
  readonly blobs: BlobStore;
  readonly images: ImageStore;
  readonly layers: LayerStore;
  readonly #env: StoreEnvironment;
  readonly #diskImages: DiskImageStore;
  readonly #closeLayers: () => Promise<void>;
  readonly #stopCleaning = new AbortController();
  #cleaning: Promise<void> | undefined;

  private constructor(env: StoreEnvironment, calls: () => FlockCalls) {
    this.root = env.paths.root;
    this.#env = env;
    const blobs = new DiskBlobStore(env);
    const layers = new DiskLayerStore(env, blobs);
    this.blobs = blobs;
    this.layers = layers;
    this.#diskImages = new DiskImageStore(env, { blobs, layers });
    this.images = this.#diskImages;
    this.#closeLayers = () => layers.close(calls);
  }

  /**
   * Opens a store; an absent or empty folder becomes one. What killed processes left is removed meanwhile.
   * @param root absolute
   * @throws {StoreError} STORE_FOREIGN, STORE_TOO_NEW, STORE_CORRUPT, STORE_NOT_WRITABLE, DISK_FULL, DISK_FAILED
   */
  static async open(root: string, options: OpenStoreOptions = {}): Promise<Store> {
    const { signal, machine = thisMachine(), memoryRoots = MEMORY_ROOTS, searchPath = SEARCH_PATH } = options;
    if (!isAbsolute(root)) throw new TypeError(`The root of a store must be absolute, not "${root}"`);
    signal?.throwIfAborted();
    const paths = new StorePaths(root.replace(/(?<=.)\/+$/, ""));
    openFormat(paths);
    const temp = new TempSpace(paths.temp, bindFlock);
    const memory = new MemorySpace(memoryRoots, { calls: bindFlock, fallback: temp });
    const locks = new LockTable(paths, () => {
      // Whoever dies holding a lock leaves a folder by which the next start sees that there is something to clean.
      temp.prepare();
      return bindFlock();
    });
    const store = new Store({ paths, temp, memory, locks, machine, searchPath }, bindFlock);
    const hasLeftovers = temp.looksAbandoned() || memory.looksAbandoned();
    if (hasLeftovers || store.#diskImages.isIndexStale()) store.#cleaning = store.#clean();
    return store;
  }

  /** This process's own folder for temporary files, on the store's file system; removed on close, or after our death. */
  get tmpDir(): string {
    return this.#env.temp.dir;
  }

  /**
   * Like `tmpDir`, for what must not reach a disk: in memory where the machine has such a place, else in `tmpDir`. Only we
   * may enter it. Small things only: the memory is the machine's.
   */
  get memoryDir(): string {
    return this.#env.memory.dir;
  }

  /**
   * Takes the store-wide lock of that name, waiting for whoever holds it. It ends with its holder, however that dies.
   * @throws the signal's reason
   */
  acquireLock(name: string, options?: LockOptions): Promise<Lease> {
    return this.#env.locks.acquireLock(`lease-${name}`, options);
  }

  /** Takes the lock if nobody holds it now, else undefined. */
  tryLock(name: string, mode: LockOptions["mode"] = "exclusive"): Lease | undefined {
    return this.#env.locks.tryLock(`lease-${name}`, mode);
  }

  /** Runs `work` while holding the store-wide lock of that name. */
  withLease<T>(name: string, work: () => Promise<T>, options?: LockOptions): Promise<T> {
    return this.#env.locks.withLease(`lease-${name}`, work, options);
  }

  /**
   * Gives up what this process holds and removes its temporary folder. Waits for cleaning that is under way, but not
   * long: the next start goes on with it. The store must not be used afterwards. Closing twice is fine; a process that
   * ends without closing leaves no more than one that was killed.
   */
  async close(): Promise<void> {
    const patience = setTimeout(() => this.#stopCleaning.abort(), MAX_CLEANING_MS);
    await this.#cleaning;
    clearTimeout(patience);
    await this.#closeLayers();
    await this.#env.memory.close();
    await this.#env.temp.close();
  }

  /** Mends and removes what killed processes left. What fails is left to a later start. */
  async #clean(): Promise<void> {
    try {
      if (this.#diskImages.isIndexStale()) await this.#diskImages.refreshIndex();
      await cleanUp(this.#env, this.#stopCleaning.signal);
    } catch {
      // E.g. a store that we may only read.
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
