import type { BuildCache } from "../cache/build-cache.ts";
import type { BlobSource } from "../oci/blob-source.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Platform } from "../oci/platform.ts";
import type { Sandbox } from "../runner/types.ts";
import type { BlobStore, ImageRecord, ImageStore, LayerStore } from "../store/types.ts";
import type { OnEvent } from "./events.ts";

/** An image as a registry describes it: documents, but no layer yet. All bytes are verified. */
export interface RemoteImage {
  readonly manifest: Descriptor;
  readonly manifestBytes: Uint8Array;
  readonly configBytes: Uint8Array;
  /** What the name pointed at, when that was an index. */
  readonly index?: Descriptor;
  /** Where its blobs can be read. */
  readonly blobs: BlobSource;
  /** `registry/repository`: where blobs can be mounted from when pushing. */
  readonly origin: string;
}

/** Registries, as a build needs them. */
export interface RemoteImages {
  /**
   * Looks a full reference up.
   * @throws {StrakeError} when it is not there, not allowed, or has nothing for the platform
   */
  resolve(
    reference: string,
    platform: Platform,
    options: { readonly signal?: AbortSignal | undefined },
  ): Promise<RemoteImage>;
  /** The blobs of a repository, `registry/repository`. Nothing is asked of the registry until one is opened. */
  blobs(origin: string): BlobSource;
  /**
   * The image will be pushed under this name: what is made of it from now on may be sent already. Ends when the result is
   * disposed of.
   */
  expectPush?(reference: string, options: { readonly signal?: AbortSignal | undefined }): Disposable;
  /**
   * Pushes an image, or the images of several platforms with their index, under the record's name; returns the
   * descriptor of what the name then points at. `byDigest`: to the name's repository, without its tag.
   */
  push(
    record: ImageRecord,
    options: {
      readonly onEvent: OnEvent;
      readonly vertex: string;
      readonly byDigest?: boolean;
      readonly signal?: AbortSignal | undefined;
    },
  ): Promise<Descriptor>;
}

/** The parts of a store that a build uses. */
export interface BuildStore {
  readonly blobs: BlobStore;
  readonly images: ImageStore;
  readonly layers: LayerStore;
  /** This process's own folder for temporary files, on the store's file system. */
  readonly tmpDir: string;
  /** A private folder, in memory where the machine has such a place: for secrets. */
  readonly memoryDir: string;
  readonly root: string;
  /** Runs `work` while holding the store-wide lease of that name; it ends with its holder, however that dies. */
  withLease<T>(
    name: string,
    work: () => Promise<T>,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<T>;
  /** Takes a lease that the caller releases, waiting for whoever holds it. Any number may share it, or one has it alone. */
  acquireLock(
    name: string,
    options: { readonly mode: "shared" | "exclusive"; readonly signal?: AbortSignal | undefined },
  ): Promise<{ release(): void }>;
  /** Takes the lease if it can be had now, else undefined. */
  tryLock(name: string, mode: "shared" | "exclusive"): { release(): void } | undefined;
}

/** What of a store those use who get sources from elsewhere. */
export type SourceStore = Pick<BuildStore, "root" | "tmpDir" | "withLease" | "acquireLock" | "tryLock">;

/** Everything outside of itself that a build works with. */
export interface Collaborators {
  readonly store: BuildStore;
  readonly cache: BuildCache;
  readonly sandbox: Sandbox;
  readonly remote: RemoteImages;
  /**
   * The user's variables, for what gets sources from elsewhere: PATH, proxies, certificates. Steps see none of them.
   */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Wall clock in milliseconds since the epoch. */
  readonly now: () => number;
  /** Monotonic clock in milliseconds. */
  readonly monotonic: () => number;
  /** What this machine can run without emulation; the first is BUILDPLATFORM. */
  readonly hostPlatforms: readonly Platform[];
}
