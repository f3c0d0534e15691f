import type { Descriptor, Digest } from "../../oci/index.ts";
import { shortDigest } from "../../oci/index.ts";
import { MergedTree } from "../../store/layers/index.ts";
import type { BuildStore } from "../collaborators.ts";
import { BuildError } from "../error.ts";
import type { OnEvent } from "../events.ts";
import type { ResolvedImage } from "../resolved-image.ts";
import { runStep } from "../run-step.ts";
import type { State } from "./state.ts";

/** Where layers can be fetched from. */
export type LayerOrigin = Pick<ResolvedImage, "shownAs" | "layers" | "blobs" | "origin">;

/**
 * The layers that a build works with, wherever they are: in the store, or still at the source of a base image.
 * Base layers are fetched and unpacked when their files are first read, all of a state side by side, once for
 * the whole build.
 */
export class LayerAccess {
  readonly #store: BuildStore;
  readonly #onEvent: OnEvent;
  readonly #monotonic: () => number;
  readonly #signal: AbortSignal;
  /** Where the layers of base images can be fetched from. */
  readonly #remote = new Map<Digest, { readonly image: LayerOrigin; readonly blob: Descriptor }>();
  readonly #unpacking = new Map<Digest, Promise<void>>();
  readonly #fetches = new Map<Digest, Promise<void>>();

  constructor(details: {
    readonly store: BuildStore;
    readonly images: Iterable<LayerOrigin>;
    readonly onEvent: OnEvent;
    readonly monotonic: () => number;
    readonly signal: AbortSignal;
  }) {
    this.#store = details.store;
    this.#onEvent = details.onEvent;
    this.#monotonic = details.monotonic;
    this.#signal = details.signal;
    for (const image of details.images)
      for (const { diffId, blob } of image.layers)
        if (!this.#remote.has(diffId)) this.#remote.set(diffId, { image, blob });
  }

  /** Whether the layer can be had: in some form in the store, or from its image's source. */
  async isAvailable(diffId: Digest): Promise<boolean> {
    return this.#remote.has(diffId) || (await this.isInStore(diffId));
  }

  /** The unpacked layers of a state, top first, as an overlay mount lists them. */
  async folders(state: State): Promise<readonly string[]> {
    const diffIds = state.layers.map(({ diffId }) => diffId);
    await Promise.all(diffIds.map((diffId) => this.#prepare(diffId)));
    const folders = await this.#store.layers.ensureStack(diffIds, { signal: this.#signal });
    // A layer that is there twice (two steps that changed nothing) shows all it has from its upper place; the kernel
    // refuses to stack a folder on itself.
    return [...new Set(folders.toReversed())];
  }

  /** One layer by itself, unpacked. */
  async folder(diffId: Digest): Promise<string> {
    await this.#unpacked(diffId);
    return this.#store.layers.ensureSnapshot(diffId, { signal: this.#signal });
  }

  /** The files of a state. */
  async tree(state: State): Promise<MergedTree> {
    return new MergedTree(await this.folders(state));
  }

  /**
   * Makes sure that the layer's blob is in the store and returns its descriptor: the original one for a layer that was
   * pulled, a newly compressed one for a layer made here.
   */
  async blob(
    diffId: Digest,
    {
      lazy = false,
      ...compression
    }: {
      readonly compression?: "none" | "gzip" | "zstd";
      readonly level?: number;
      /** The descriptor is enough where the layer can still be had from the registry it came from. */
      readonly lazy?: boolean;
    } = {},
  ): Promise<Descriptor> {
    if (!(await this.isInStore(diffId))) {
      if (lazy && compression.compression === undefined) {
        const remote = this.#remote.get(diffId);
        const blob = remote?.image.origin === undefined ? await this.#distant(diffId) : remote.blob;
        if (blob !== undefined) return blob;
      }
      await this.#fetch(diffId);
    }
    return this.#store.layers.ensureBlob(diffId, { ...compression, signal: this.#signal });
  }

  /** A layer that an earlier build stood on and never read: where it is, the store remembers. */
  async #distant(diffId: Digest): Promise<Descriptor | undefined> {
    const info = await this.#store.layers.info(diffId);
    return (info?.origins ?? []).length > 0 ? info?.blob : undefined;
  }

  /**
   * Fetches a layer, and unpacks it as soon as it is there, while others still come. One that cannot be unpacked by
   * itself (a hard link into a lower layer) is left to `ensureStack`, which repeats every other failure too.
   */
  async #prepare(diffId: Digest): Promise<void> {
    if (!(await this.isInStore(diffId))) await this.#fetch(diffId);
    await this.#unpacked(diffId).catch(() => this.#signal.throwIfAborted());
  }

  #unpacked(diffId: Digest): Promise<void> {
    let unpacking = this.#unpacking.get(diffId);
    if (unpacking === undefined) {
      unpacking = this.#unpack(diffId);
      this.#unpacking.set(diffId, unpacking);
    }
    return unpacking;
  }

  async #unpack(diffId: Digest): Promise<void> {
    const info = await this.#store.layers.info(diffId);
    if (info?.hasSnapshot === true) return;
    if (!(await this.isInStore(diffId))) await this.#fetch(diffId);
    await this.#store.layers.ensureSnapshot(diffId, { signal: this.#signal });
  }

  /** Whether the layer is in the store in some form; it then stays there until the build ends. */
  async isInStore(diffId: Digest): Promise<boolean> {
    const info = await this.#store.layers.info(diffId);
    if (info === undefined) return false;
    const hasBytes =
      info.hasSnapshot ||
      info.hasTar ||
      (info.blob !== undefined && (await this.#store.blobs.hasBlob(info.blob)));
    // Held: what this build stands on must not be collected by another process meanwhile.
    return hasBytes && (await this.#store.layers.hold(diffId));
  }

  #fetch(diffId: Digest): Promise<void> {
    let fetch = this.#fetches.get(diffId);
    if (fetch === undefined) {
      fetch = this.#fetchOnce(diffId);
      this.#fetches.set(diffId, fetch);
    }
    return fetch;
  }

  async #fetchOnce(diffId: Digest): Promise<void> {
    const remote = this.#remote.get(diffId);
    if (remote === undefined)
      throw new BuildError("BASE_IMAGE", `Cannot find layer ${diffId} in the store`, {
        hint: "The cache was pruned while the build ran, or is damaged; build again",
      });
    const { image, blob } = remote;
    const vertex = `pull ${blob.digest}`;
    const short = shortDigest(blob.digest);
    const name = `pull ${image.shownAs} ${short}`;
    const onEvent = this.#onEvent;
    const signal = this.#signal;
    let done = 0;
    await runStep({ vertex, name, onEvent, nowMs: this.#monotonic, signal }, async () => {
      await this.#store.blobs.writeBlob(blob, (options) => image.blobs.openBlob(blob, options), {
        signal,
        onBytes: (count) => {
          done += count;
          onEvent({ kind: "step-bytes", vertex, item: short, done, total: blob.size });
        },
      });
      await this.#store.layers.noteBlob(diffId, blob, image.origin);
    });
  }
}
