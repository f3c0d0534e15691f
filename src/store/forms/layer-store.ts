import { readFile } from "node:fs/promises";
import type { Descriptor } from "../../oci/descriptor.ts";
import { type Digest, isDigest } from "../../oci/digest.ts";
import type { GrowingBlob } from "../../oci/growing-blob.ts";
import { layerCompression } from "../../oci/media-types.ts";
import type { FlockCalls } from "../../sys/flock.ts";
import type { DiskBlobStore } from "../blobs/blob-store.ts";
import { defaultLevel } from "../compress/levels.ts";
import { diskFault, isErrno } from "../disk/disk-fault.ts";
import { writeFileWhole } from "../disk/write-file.ts";
import type { StoreEnvironment } from "../environment.ts";
import type { EnsureBlobOptions, LayerInfo, LayerStore, PendingSnapshot, PendingTar } from "../types.ts";
import { LayerBytes } from "./layer-bytes.ts";
import { LayerFolders } from "./layer-folders.ts";
import { isUnsettled, type KnownBlob, type LayerRecord } from "./layer-record.ts";
import { LayerUses } from "./layer-uses.ts";
import { prepareSnapshot, prepareTar } from "./pending.ts";
import { settleLayers } from "./settle.ts";
import { SharedWork } from "./shared-work.ts";
import { ensureStack } from "./stack.ts";
import { layerNotFound, Unpacker } from "./unpacker.ts";
import { verifyTar } from "./verify-tar.ts";

interface Options {
  readonly signal?: AbortSignal | undefined;
}

type BlobListener = Parameters<LayerStore["watchBlobs"]>[0];

/** Layers in folders beside an OCI layout; see docs/store.md for what each file means. */
export class DiskLayerStore implements LayerStore {
  readonly #env: StoreEnvironment;
  readonly #blobs: DiskBlobStore;
  readonly #folders: LayerFolders;
  readonly #bytes: LayerBytes;
  readonly #unpacker: Unpacker;
  readonly #uses: LayerUses;
  readonly #compressing = new SharedWork<Descriptor>();
  readonly #watching = new Set<BlobListener>();
  /** Layers met that are in use without being known to be on the disk. */
  readonly #unsettled = new Set<Digest>();

  constructor(env: StoreEnvironment, blobs: DiskBlobStore) {
    this.#env = env;
    this.#blobs = blobs;
    this.#folders = new LayerFolders(env);
    this.#bytes = new LayerBytes(this.#folders, blobs);
    this.#unpacker = new Unpacker(env, this.#folders, this.#bytes);
    this.#uses = new LayerUses(env.locks);
  }

  async info(diffId: Digest): Promise<LayerInfo | undefined> {
    const record = this.#folders.read(diffId);
    return record === undefined ? undefined : await this.#describe(record);
  }

  async *list(): AsyncGenerator<LayerInfo> {
    for await (const record of this.#folders.list()) yield await this.#describe(record);
  }

  prepareSnapshot(): Promise<PendingSnapshot> {
    return prepareSnapshot(this.#env, this.#folders, this.#uses);
  }

  prepareTar(): Promise<PendingTar> {
    return prepareTar(this.#env, this.#folders);
  }

  async noteBlob(diffId: Digest, blob: Descriptor, origin?: string): Promise<void> {
    const origins = origin === undefined ? [] : [origin];
    await this.#noteBlob(diffId, { descriptor: plainDescriptor(blob), origins });
  }

  async diffIdOf(blob: Digest): Promise<Digest | undefined> {
    const path = this.#env.paths.layerOfBlob(blob);
    try {
      const text = (await readFile(path, "utf8")).trim();
      return isDigest(text) ? text : undefined;
    } catch (error) {
      if (isErrno(error, "ENOENT")) return undefined;
      throw diskFault(`look up the layer of blob "${blob}"`, path, error);
    }
  }

  async hold(diffId: Digest): Promise<boolean> {
    await this.#uses.hold(diffId);
    return this.#folders.read(diffId) !== undefined;
  }

  async ensureSnapshot(diffId: Digest, { signal }: Options = {}): Promise<string> {
    await this.#uses.hold(diffId);
    return await this.#unpacker.ensure(diffId, signal);
  }

  async ensureStack(diffIds: readonly Digest[], { signal }: Options = {}): Promise<readonly string[]> {
    for (const diffId of diffIds) await this.#uses.hold(diffId);
    return await ensureStack(diffIds, { folders: this.#folders, unpacker: this.#unpacker }, signal);
  }

  async openTar(diffId: Digest, { signal }: Options = {}): Promise<AsyncIterable<Uint8Array>> {
    const record = this.#folders.read(diffId);
    const tar = await this.#bytes.openTar(record, signal);
    if (tar !== undefined) return verifyTar(tar, diffId);
    if (record?.snapshot === undefined) throw layerNotFound(diffId, record);
    const path = await this.ensureSnapshot(diffId, { signal });
    const { packSnapshot } = await import("../layers/index.ts");
    return verifyTar(packSnapshot(path, { signal }), diffId);
  }

  async ensureBlob(diffId: Digest, options: EnsureBlobOptions = {}): Promise<Descriptor> {
    const ready = await this.#bytes.fittingBlob(this.#folders.read(diffId), options);
    if (ready !== undefined) return ready.descriptor;
    const { compression = "gzip", level = defaultLevel(compression), signal } = options;
    const key = `${diffId} ${compression} ${level}`;
    return await this.#compressing.run(key, signal, (shared) =>
      this.#env.locks.withLease(`compress-${diffId}`, () => this.#compress(diffId, options, shared), {
        signal: shared,
      }),
    );
  }

  watchBlobs(listener: BlobListener): Disposable {
    this.#watching.add(listener);
    return { [Symbol.dispose]: () => void this.#watching.delete(listener) };
  }

  async remove(diffId: Digest): Promise<boolean> {
    return (await this.#uses.unlessUsed(diffId, () => this.#folders.remove(diffId))) ?? false;
  }

  /** Gives up every hold, and spares the next run of the kernel some checking. */
  async close(calls: () => FlockCalls): Promise<void> {
    if (this.#unsettled.size > 0) {
      await settleLayers([...this.#unsettled], { env: this.#env, folders: this.#folders, calls }).catch(
        () => undefined, // then it is checked one day
      );
    }
    this.#unsettled.clear();
    this.#uses.releaseAll();
  }

  async #describe(record: LayerRecord): Promise<LayerInfo> {
    const { diffId, treeId, snapshot } = record;
    const plain = record.blobs.find(({ descriptor }) => layerCompression(descriptor.mediaType) === "none");
    const tarSize = record.tarSize ?? plain?.descriptor.size;
    if (isUnsettled(record, this.#env.machine.bootId)) this.#unsettled.add(diffId);
    const present = await this.#bytes.presentBlob(record);
    const preferred = present ?? record.blobs[0];
    return {
      diffId,
      ...(tarSize === undefined ? {} : { tarSize }),
      ...(treeId === undefined ? {} : { treeId }),
      ...(preferred === undefined ? {} : { blob: preferred.descriptor, origins: preferred.origins }),
      // What was built counts although it has yet to be checked after a restart of the machine.
      hasSnapshot: snapshot?.madeBy === "build" || this.#folders.snapshotPath(record) !== undefined,
      hasTar: this.#folders.tarPath(record) !== undefined,
      hasBlob: present !== undefined,
    };
  }

  async #compress(diffId: Digest, options: EnsureBlobOptions, signal: AbortSignal): Promise<Descriptor> {
    const ready = await this.#bytes.fittingBlob(this.#folders.read(diffId), options);
    if (ready !== undefined) return ready.descriptor; // made while we waited for the lock
    const { compression = "gzip", level = defaultLevel(compression) } = options;
    // Loaded only here: the codecs cost every start some milliseconds.
    const { makeBlob } = await import("./make-blob.ts");
    const tar = await this.openTar(diffId, { signal });
    const target = { temp: this.#env.temp, blobs: this.#blobs };
    const layer = this.#watching.size === 0 ? undefined : await this.info(diffId);
    const onStarted =
      this.#watching.size === 0
        ? undefined
        : (growing: GrowingBlob) => this.#watching.forEach((listener) => void listener(growing, layer));
    const { searchPath } = this.#env;
    const blob = await makeBlob(tar, target, { compression, level, searchPath, onStarted, signal });
    await this.#noteBlob(diffId, { descriptor: blob, origins: [], level });
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
