import { existsSync } from "node:fs";
import { chmod, mkdir, readFile } from "node:fs/promises";
import { StrakeError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { type Digest, isDigest } from "../../oci/digest.ts";
import { layerCompression } from "../../oci/media-types.ts";
import { TarError } from "../../tar/error.ts";
import type { DiskBlobStore } from "../blobs/blob-store.ts";
import { readChunks } from "../blobs/read-chunks.ts";
import { decompress } from "../compress/decompress.ts";
import { diskFault, isErrno, onDisk } from "../disk/disk-fault.ts";
import { writeFileWhole } from "../disk/write-file.ts";
import type { StoreEnvironment } from "../environment.ts";
import { StoreError } from "../error.ts";
import { LayerError } from "../layers/error.ts";
import type { EnsureBlobOptions, LayerInfo, LayerStore, PendingSnapshot, PendingTar } from "../types.ts";
import { LayerFolders } from "./layer-folders.ts";
import type { KnownBlob, LayerRecord } from "./layer-record.ts";
import { makeBlob } from "./make-blob.ts";
import { prepareSnapshot, prepareTar } from "./pending.ts";
import { SharedWork } from "./shared-work.ts";
import { verifyTar } from "./verify-tar.ts";

interface Options {
  readonly signal?: AbortSignal | undefined;
}

/** Layers in folders beside an OCI layout; see docs/store.md for what each file means. */
export class DiskLayerStore implements LayerStore {
  readonly #env: StoreEnvironment;
  readonly #blobs: DiskBlobStore;
  readonly #folders: LayerFolders;
  readonly #unpacking = new SharedWork<string>();
  readonly #compressing = new SharedWork<Descriptor>();

  constructor(env: StoreEnvironment, blobs: DiskBlobStore) {
    this.#env = env;
    this.#blobs = blobs;
    this.#folders = new LayerFolders(env);
  }

  async info(diffId: Digest): Promise<LayerInfo | undefined> {
    const record = this.#folders.read(diffId);
    return record === undefined ? undefined : await this.#describe(record);
  }

  async *list(): AsyncGenerator<LayerInfo> {
    for await (const record of this.#folders.list()) yield await this.#describe(record);
  }

  prepareSnapshot(): Promise<PendingSnapshot> {
    return prepareSnapshot(this.#env, this.#folders);
  }

  prepareTar(): Promise<PendingTar> {
    return prepareTar(this.#env, this.#folders);
  }

  async noteBlob(diffId: Digest, blob: Descriptor, origin?: string): Promise<void> {
    await this.#noteBlob(diffId, {
      descriptor: plainDescriptor(blob),
      origins: origin === undefined ? [] : [origin],
    });
  }

  async diffIdOf(blob: Digest): Promise<Digest | undefined> {
    const path = this.#env.paths.layerOfBlob(blob);
    try {
      const text = (await readFile(path, "utf8")).trim();
      return isDigest(text) ? text : undefined;
    } catch (error) {
      if (isErrno(error, "ENOENT")) return undefined;
      return await onDisk(`look up the layer of blob "${blob}"`, path, () => Promise.reject(error));
    }
  }

  async ensureSnapshot(diffId: Digest, { signal }: Options = {}): Promise<string> {
    const ready = this.#folders.snapshotPath(this.#folders.read(diffId));
    if (ready !== undefined) return ready;
    return await this.#unpacking.run(diffId, signal, (shared) =>
      this.#env.locks.withLease(this.#folders.lockName(diffId), () => this.#unpack(diffId, shared), {
        signal: shared,
      }),
    );
  }

  async openTar(diffId: Digest, { signal }: Options = {}): Promise<AsyncIterable<Uint8Array>> {
    const record = this.#folders.read(diffId);
    const tar = await this.#findTar(record, signal);
    if (tar !== undefined) return verifyTar(tar, diffId);
    const snapshot = this.#folders.snapshotPath(record);
    if (snapshot !== undefined) {
      const { packSnapshot } = await import("../layers/index.ts");
      return verifyTar(packSnapshot(snapshot), diffId);
    }
    throw notFound(diffId, record);
  }

  async ensureBlob(diffId: Digest, options: EnsureBlobOptions = {}): Promise<Descriptor> {
    const ready = await this.#findBlob(this.#folders.read(diffId), options);
    if (ready !== undefined) return ready;
    const { compression = "gzip", level, signal } = options;
    const key = `${diffId} ${compression} ${level ?? ""}`;
    return await this.#compressing.run(key, signal, (shared) =>
      this.#env.locks.withLease(`compress-${diffId}`, () => this.#compress(diffId, options, shared), {
        signal: shared,
      }),
    );
  }

  async remove(diffId: Digest): Promise<boolean> {
    return await this.#folders.remove(diffId);
  }

  async #describe(record: LayerRecord): Promise<LayerInfo> {
    const { diffId, tarSize, treeId } = record;
    const known = await this.#presentBlob(record);
    const preferred = known ?? record.blobs[0];
    return {
      diffId,
      ...(tarSize === undefined ? {} : { tarSize }),
      ...(treeId === undefined ? {} : { treeId }),
      ...(preferred === undefined ? {} : { blob: preferred.descriptor, origins: preferred.origins }),
      hasSnapshot: this.#folders.snapshotPath(record) !== undefined,
      hasTar: this.#folders.tarPath(record) !== undefined,
      hasBlob: known !== undefined,
    };
  }

  /** The first blob of the layer whose bytes are here. */
  async #presentBlob(
    record: LayerRecord,
    fits: (blob: KnownBlob) => boolean = () => true,
  ): Promise<KnownBlob | undefined> {
    for (const blob of record.blobs) {
      if (fits(blob) && (await this.#blobs.hasBlob(blob.descriptor))) return blob;
    }
    return undefined;
  }

  async #findBlob(
    record: LayerRecord | undefined,
    { compression, level }: EnsureBlobOptions,
  ): Promise<Descriptor | undefined> {
    if (record === undefined) return undefined;
    const found = await this.#presentBlob(
      record,
      (blob) =>
        (compression === undefined || layerCompression(blob.descriptor.mediaType) === compression) &&
        (level === undefined || blob.level === undefined || blob.level === level),
    );
    return found?.descriptor;
  }

  /** The layer's own bytes: the tar as it was written, or as the blob has it. */
  async #findTar(
    record: LayerRecord | undefined,
    signal: AbortSignal | undefined,
  ): Promise<AsyncIterable<Uint8Array> | undefined> {
    if (record === undefined) return undefined;
    const path = this.#folders.tarPath(record);
    if (path !== undefined) return readChunks(path, { signal });
    const blob = await this.#presentBlob(record);
    if (blob === undefined) return undefined;
    return decompress(await this.#blobs.openBlob(blob.descriptor, { signal }));
  }

  async #unpack(diffId: Digest, signal: AbortSignal): Promise<string> {
    const record = this.#folders.read(diffId);
    const ready = this.#folders.snapshotPath(record);
    if (ready !== undefined) return ready; // made while we waited for the lock
    const confirmed = await this.#confirmSnapshot(record, signal);
    if (confirmed !== undefined) return confirmed;
    const tar = await this.#findTar(record, signal);
    if (tar === undefined) throw notFound(diffId, record);
    const { unpackLayer } = await import("../layers/index.ts");
    const folder = await this.#env.temp.makeFolder("unpack");
    try {
      await makeRootFolder(`${folder}/fs`);
      await unpackLayer(tar, `${folder}/fs`, { expectedDiffId: diffId, signal });
      return await this.#folders.installSnapshot(folder, { diffId, madeBy: "unpacking", locked: true });
    } catch (error) {
      await this.#env.temp.discard(folder);
      signal.throwIfAborted();
      if (await this.#dropDamaged(record, error)) return await this.#unpack(diffId, signal);
      throw unpackFault(diffId, error);
    }
  }

  /**
   * A snapshot that an earlier run of the kernel wrote, perhaps not to its end: what was built here is packed again and
   * compared. True at most once for each snapshot.
   */
  async #confirmSnapshot(record: LayerRecord | undefined, signal: AbortSignal): Promise<string | undefined> {
    if (record?.snapshot === undefined || record.snapshot.madeBy !== "build") return undefined;
    const { diffId } = record;
    const path = `${this.#folders.path(diffId)}/fs`;
    if (!existsSync(path)) return undefined;
    try {
      const { packSnapshot } = await import("../layers/index.ts");
      for await (const _ of verifyTar(packSnapshot(path), diffId)) signal.throwIfAborted();
    } catch (error) {
      signal.throwIfAborted();
      await this.#folders.updateLocked(diffId, ({ snapshot: _, ...rest }) => rest);
      if (error instanceof StrakeError) return undefined;
      throw error;
    }
    await this.#folders.updateLocked(diffId, (known) => ({ ...known, snapshot: { madeBy: "build" } }));
    return path;
  }

  /** Removes the tar or blob that was read if its bytes are wrong, so that another form is used or it is fetched again. */
  async #dropDamaged(record: LayerRecord | undefined, error: unknown): Promise<boolean> {
    if (record === undefined || !isAboutContent(error)) return false;
    if (this.#folders.tarPath(record) !== undefined) {
      await this.#folders.updateLocked(record.diffId, ({ tar: _, ...rest }) => rest);
      return true;
    }
    const blob = await this.#presentBlob(record);
    return blob !== undefined && (await this.#blobs.removeIfCorrupt(blob.descriptor));
  }

  async #compress(diffId: Digest, options: EnsureBlobOptions, signal: AbortSignal): Promise<Descriptor> {
    const ready = await this.#findBlob(this.#folders.read(diffId), options);
    if (ready !== undefined) return ready; // made while we waited for the lock
    const { compression = "gzip", level } = options;
    const tar = await this.openTar(diffId, { signal });
    const blob = await makeBlob(
      tar,
      { temp: this.#env.temp, blobs: this.#blobs },
      { compression, level, signal },
    );
    await this.#noteBlob(diffId, {
      descriptor: blob,
      origins: [],
      ...(level === undefined ? {} : { level }),
    });
    return blob;
  }

  async #noteBlob(diffId: Digest, blob: KnownBlob): Promise<void> {
    const before = this.#folders.read(diffId);
    if (before === undefined || addBlob(before, blob) !== before) {
      await this.#folders.update(diffId, (record) => addBlob(record, blob));
    }
    const { digest } = blob.descriptor;
    if ((await this.diffIdOf(digest)) === diffId) return;
    await writeFileWhole(this.#env.temp, this.#env.paths.layerOfBlob(digest), `${diffId}\n`, {
      attempt: `note the layer of blob "${digest}"`,
      sync: false,
    });
  }
}

/** The same record when it says all that already. */
function addBlob(record: LayerRecord, added: KnownBlob): LayerRecord {
  const { digest } = added.descriptor;
  const known = record.blobs.find((blob) => blob.descriptor.digest === digest);
  if (known === undefined) return { ...record, blobs: [...record.blobs, added] };
  const news = added.origins.filter((origin) => !known.origins.includes(origin));
  if (news.length === 0) return record;
  const merged = { ...known, origins: [...known.origins, ...news] };
  return { ...record, blobs: record.blobs.map((blob) => (blob === known ? merged : blob)) };
}

/** What identifies the blob, without what one manifest says about it. */
function plainDescriptor({ mediaType, digest, size, urls }: Descriptor): Descriptor {
  return { mediaType, digest, size, ...(urls === undefined ? {} : { urls }) };
}

async function makeRootFolder(path: string): Promise<void> {
  await onDisk("unpack a layer", path, async () => {
    await mkdir(path);
    await chmod(path, 0o755); // whatever the umask
  });
}

/** Errors of the codecs, the tar reader and the digest check; not of the disk. */
function isAboutContent(error: unknown): boolean {
  if (error instanceof LayerError) return error.code === "DIFF_ID_MISMATCH";
  if (error instanceof StoreError) return error.code === "LAYER_CORRUPT";
  return error instanceof TarError || isCodecError(error);
}

function isCodecError(error: unknown): boolean {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return typeof code === "string" && (code.startsWith("Z_") || code.startsWith("ZSTD_"));
}

function unpackFault(diffId: Digest, error: unknown): unknown {
  if (!isAboutContent(error)) return diskFault(`unpack layer "${diffId}"`, "", error);
  const reason = error instanceof Error ? error.message : String(error);
  return new StoreError("LAYER_CORRUPT", `Cannot unpack layer "${diffId}": ${reason}`, { cause: error });
}

function notFound(diffId: Digest, record: LayerRecord | undefined): StoreError {
  const origin = record?.blobs.flatMap((blob) => blob.origins)[0];
  const state = record === undefined ? "the store does not know it" : "its bytes are not in the store";
  return new StoreError("LAYER_NOT_FOUND", `Cannot find layer "${diffId}": ${state}`, {
    hint: origin === undefined ? undefined : `It can be fetched from ${origin}`,
  });
}
