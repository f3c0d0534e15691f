import { existsSync } from "node:fs";
import { chmod, mkdir } from "node:fs/promises";
import { StrakeError } from "../../errors.ts";
import { type Digest, splitDigest } from "../../oci/digest.ts";
import type { ByteString } from "../../oci/layer-entry.ts";
import { diskFault, onDisk } from "../disk/disk-fault.ts";
import type { StoreEnvironment } from "../environment.ts";
import { StoreError } from "../error.ts";
import { isAboutContent, type LayerBytes } from "./layer-bytes.ts";
import type { LayerFolders } from "./layer-folders.ts";
import type { LayerRecord } from "./layer-record.ts";
import { SharedWork } from "./shared-work.ts";
import { verifyTar } from "./verify-tar.ts";

/** The layers below, for a layer that can't be unpacked by itself. */
export interface LowerLayers {
  /** Names the variant: one for each stack of layers below. */
  readonly variant: string;
  readonly resolve: (path: ByteString) => string | undefined;
}

/** Unpacks layers into snapshots, each once, whoever asks. */
export class Unpacker {
  readonly #env: StoreEnvironment;
  readonly #folders: LayerFolders;
  readonly #bytes: LayerBytes;
  readonly #running = new SharedWork<string>();

  constructor(env: StoreEnvironment, folders: LayerFolders, bytes: LayerBytes) {
    this.#env = env;
    this.#folders = folders;
    this.#bytes = bytes;
  }

  /** The path of the snapshot, or of its variant for certain lower layers. */
  async ensure(diffId: Digest, signal: AbortSignal | undefined, lower?: LowerLayers): Promise<string> {
    const ready = this.#folders.snapshotPath(this.#folders.read(diffId), lower?.variant);
    if (ready !== undefined) return ready;
    return await this.#running.run(`${diffId} ${lower?.variant ?? ""}`, signal, (shared) =>
      this.#env.locks.withLease(
        this.#folders.lockName(diffId),
        () => this.#ensureLocked(diffId, shared, lower),
        { signal: shared },
      ),
    );
  }

  async #ensureLocked(diffId: Digest, signal: AbortSignal, lower: LowerLayers | undefined): Promise<string> {
    const record = this.#folders.read(diffId);
    const ready = this.#folders.snapshotPath(record, lower?.variant);
    if (ready !== undefined) return ready; // made while we waited for the lock
    if (lower === undefined) {
      const confirmed = await this.#confirm(record, signal);
      if (confirmed !== undefined) return confirmed;
    }
    const tar = await this.#bytes.openTar(record, signal);
    if (tar === undefined) throw layerNotFound(diffId, record);
    const folder = await this.#env.temp.makeFolder("unpack");
    try {
      return await this.#unpack(tar, folder, { diffId, signal, lower });
    } catch (error) {
      await this.#env.temp.discard(folder);
      signal.throwIfAborted();
      if (isAboutContent(error) && (await this.#bytes.dropDamaged(record))) {
        return await this.#ensureLocked(diffId, signal, lower);
      }
      throw unpackFault(diffId, folder, error);
    }
  }

  async #unpack(
    tar: AsyncIterable<Uint8Array>,
    folder: string,
    {
      diffId,
      signal,
      lower,
    }: { readonly diffId: Digest; readonly signal: AbortSignal; readonly lower: LowerLayers | undefined },
  ): Promise<string> {
    const { unpackLayer } = await import("../layers/index.ts");
    const root = `${folder}/fs`;
    await onDisk("unpack a layer", root, async () => {
      await mkdir(root);
      await chmod(root, 0o755); // whatever the umask
    });
    // The unpacker hashes on its way, with sha256; the other algorithm is checked by ourselves.
    const isUsual = splitDigest(diffId).algorithm === "sha256";
    const { tarSize, impliedFolders } = await unpackLayer(isUsual ? tar : verifyTar(tar, diffId), root, {
      signal,
      ...(isUsual ? { expectedDiffId: diffId } : {}),
      ...(lower === undefined ? {} : { resolveLower: lower.resolve }),
    });
    const layer = { diffId, tarSize, locked: true };
    return lower === undefined
      ? await this.#folders.installSnapshot(folder, { ...layer, madeBy: "unpacking", impliedFolders })
      : await this.#folders.installVariant(folder, { ...layer, variant: lower.variant });
  }

  /**
   * A snapshot that an earlier run of the kernel wrote, perhaps not to its end: what was built here is packed again
   * and compared. Happens at most once for each snapshot; what was unpacked is rather unpacked again.
   */
  async #confirm(record: LayerRecord | undefined, signal: AbortSignal): Promise<string | undefined> {
    if (record?.snapshot === undefined || record.snapshot.madeBy !== "build") return undefined;
    const { diffId } = record;
    const path = `${this.#folders.path(diffId)}/fs`;
    if (!existsSync(path)) return undefined;
    try {
      const { packSnapshot } = await import("../layers/index.ts");
      const tar = packSnapshot(path, { signal });
      for await (const _ of verifyTar(tar, diffId)) signal.throwIfAborted();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof StrakeError)) throw error;
      await this.#folders.updateLocked(diffId, ({ snapshot: _, ...rest }) => rest);
      return undefined;
    }
    await this.#folders.updateLocked(diffId, (known) => ({ ...known, snapshot: { madeBy: "build" } }));
    return path;
  }
}

export function layerNotFound(diffId: Digest, record: LayerRecord | undefined): StoreError {
  const origin = record?.blobs.flatMap((blob) => blob.origins)[0];
  const state = record === undefined ? "the store does not know it" : "its bytes are not in the store";
  return new StoreError("LAYER_NOT_FOUND", `Cannot find layer "${diffId}": ${state}`, {
    hint: origin === undefined ? undefined : `It can be fetched from ${origin}`,
  });
}

function unpackFault(diffId: Digest, folder: string, error: unknown): unknown {
  if (!isAboutContent(error)) return diskFault(`unpack layer "${diffId}"`, folder, error);
  const reason = error instanceof Error ? error.message : String(error);
  return new StoreError("LAYER_CORRUPT", `Cannot unpack layer "${diffId}": ${reason}`, { cause: error });
}
