import { existsSync } from "node:fs";
import { readdir, rename, writeFile } from "node:fs/promises";
import type { Digest } from "../../oci/digest.ts";
import { diskFault, isErrno, onDisk } from "../disk/disk-fault.ts";
import { writeFileWhole } from "../disk/write-file.ts";
import type { StoreEnvironment } from "../environment.ts";
import {
  encodeLayerRecord,
  type FormState,
  isUnsettled,
  type LayerRecord,
  readLayerRecord,
  type SnapshotForm,
} from "./layer-record.ts";

export interface FinishedLayer {
  readonly diffId: Digest;
  readonly tarSize?: number | undefined;
  readonly treeId?: Digest | undefined;
}

/**
 * The folders `snapshots/<hex>/`. One is created by renaming a finished folder to its name, which only one process
 * can win; it is changed under the layer's lock, the record last; it is removed under the lock by renaming it away.
 */
export class LayerFolders {
  readonly #env: StoreEnvironment;

  constructor(env: StoreEnvironment) {
    this.#env = env;
  }

  path(diffId: Digest): string {
    return this.#env.paths.layer(diffId);
  }

  lockName(diffId: Digest): string {
    return `layer-${diffId}`;
  }

  read(diffId: Digest): LayerRecord | undefined {
    return readLayerRecord(this.path(diffId), diffId);
  }

  /** What a form written now is worth; see `FormState`. */
  fresh(): FormState {
    return { writtenInBoot: this.#env.machine.bootId };
  }

  isTrusted(form: FormState | undefined): boolean {
    return (
      form !== undefined &&
      (form.writtenInBoot === undefined || form.writtenInBoot === this.#env.machine.bootId)
    );
  }

  /**
   * The folder of the layer's snapshot, if it may be used as it is. A record without its folder (somebody removed it
   * by hand) counts as no snapshot.
   */
  snapshotPath(record: LayerRecord | undefined, variant?: string): string | undefined {
    const form = variant === undefined ? record?.snapshot : record?.variants?.[variant];
    if (record === undefined || !this.isTrusted(form)) return undefined;
    const path = `${this.path(record.diffId)}/${variant ?? "fs"}`;
    return existsSync(path) ? path : undefined;
  }

  tarPath(record: LayerRecord | undefined): string | undefined {
    if (record?.tar === undefined) return undefined;
    const path = `${this.path(record.diffId)}/layer.tar`;
    return existsSync(path) ? path : undefined;
  }

  /**
   * Makes `folder` (in the temporary space, with `fs/` in it) the layer's snapshot; if there is one already, `folder`
   * is discarded. Returns the path of the snapshot.
   */
  async installSnapshot(
    folder: string,
    layer: FinishedLayer & {
      readonly madeBy: SnapshotForm["madeBy"];
      readonly impliedFolders?: readonly string[];
      readonly locked?: boolean;
    },
  ): Promise<string> {
    const { madeBy, impliedFolders = [] } = layer;
    const snapshot: SnapshotForm = {
      madeBy,
      ...this.fresh(),
      ...(impliedFolders.length === 0 ? {} : { impliedFolders }),
    };
    await this.#install(folder, layer, {
      name: "fs",
      isThere: (record) => this.snapshotPath(record) !== undefined,
      mark: (record) => ({ ...record, snapshot }),
      locked: layer.locked ?? false,
    });
    return `${this.path(layer.diffId)}/fs`;
  }

  /** The same for a snapshot that serves on top of certain layers only. The caller holds the layer's lock. */
  async installVariant(
    folder: string,
    { variant, ...layer }: FinishedLayer & { readonly variant: string },
  ): Promise<string> {
    await onDisk("store a layer", folder, () => rename(`${folder}/fs`, `${folder}/${variant}`));
    await this.#install(folder, layer, {
      name: variant,
      isThere: (record) => this.snapshotPath(record, variant) !== undefined,
      mark: (record) => ({ ...record, variants: { ...record.variants, [variant]: this.fresh() } }),
      locked: true,
    });
    return `${this.path(layer.diffId)}/${variant}`;
  }

  /** The same for a folder with `layer.tar` in it. */
  async installTar(folder: string, layer: FinishedLayer): Promise<void> {
    await this.#install(folder, layer, {
      name: "layer.tar",
      isThere: (record) => this.isTrusted(record.tar) && this.tarPath(record) !== undefined,
      mark: (record) => ({ ...record, tar: this.fresh() }),
      locked: false,
    });
  }

  /** Changes what is known of a layer, under its lock. */
  async update(diffId: Digest, change: (record: LayerRecord) => LayerRecord): Promise<void> {
    await this.#env.locks.withLease(this.lockName(diffId), () => this.updateLocked(diffId, change));
  }

  /** The same for a caller that holds the lock. */
  async updateLocked(diffId: Digest, change: (record: LayerRecord) => LayerRecord): Promise<void> {
    const before = this.read(diffId);
    const after = change(before ?? { diffId, blobs: [] });
    if (before !== undefined) {
      await this.#writeRecord(after, before);
      return;
    }
    const folder = await this.#env.temp.makeFolder("layer");
    await this.#writeFirstRecord(folder, after);
    if (await this.#createOrReplace(folder, diffId)) return;
    await this.#env.temp.discard(folder);
    await this.updateLocked(diffId, change);
  }

  async remove(diffId: Digest): Promise<boolean> {
    return await this.#env.locks.withLease(this.lockName(diffId), async () => {
      const wasThere = existsSync(this.path(diffId));
      await this.#env.temp.discard(this.path(diffId));
      return wasThere;
    });
  }

  async *list(): AsyncGenerator<LayerRecord> {
    for (const hex of await readdir(this.#env.paths.snapshots)) {
      const diffId = `${hex.length === 128 ? "sha512" : "sha256"}:${hex}` as Digest;
      const record = this.read(diffId);
      if (record !== undefined) yield record;
    }
  }

  async #install(folder: string, layer: FinishedLayer, form: Form): Promise<void> {
    const { diffId } = layer;
    const known = (record: LayerRecord): LayerRecord => ({
      ...record,
      ...(layer.tarSize === undefined ? {} : { tarSize: layer.tarSize }),
      ...(layer.treeId === undefined ? {} : { treeId: layer.treeId }),
    });
    await this.#writeFirstRecord(folder, form.mark(known({ diffId, blobs: [] })));
    // The usual case, a new layer, takes no lock: one rename.
    if (await this.#create(folder, diffId)) return;
    const merge = async (): Promise<void> => {
      const before = this.read(diffId);
      if (before === undefined) {
        if (!(await this.#createOrReplace(folder, diffId))) await merge();
        return;
      }
      if (form.isThere(before)) {
        const after = known(before);
        const isNews = after.tarSize !== before.tarSize || after.treeId !== before.treeId;
        if (isNews) await this.#writeRecord(after, before);
      } else {
        const target = `${this.path(diffId)}/${form.name}`;
        await this.#env.temp.discard(target); // left by a killed process, or doubtful
        await onDisk("store a layer", target, () => rename(`${folder}/${form.name}`, target));
        await this.#writeRecord(form.mark(known(before)), before);
      }
      await this.#env.temp.discard(folder);
    };
    await (form.locked ? merge() : this.#env.locks.withLease(this.lockName(diffId), merge));
  }

  /** Renames a finished folder to its name; false when the name is taken. */
  async #create(folder: string, diffId: Digest): Promise<boolean> {
    const target = this.path(diffId);
    try {
      await rename(folder, target);
      return true;
    } catch (error) {
      if (isErrno(error, "EEXIST", "ENOTEMPTY")) return false;
      throw diskFault("store a layer", target, error);
    }
  }

  /** Under the lock: also takes the place of a folder whose record can't be read. */
  async #createOrReplace(folder: string, diffId: Digest): Promise<boolean> {
    if (await this.#create(folder, diffId)) return true;
    // Somebody may have created it just now, without the lock.
    if (this.read(diffId) !== undefined) return false;
    await this.#env.temp.discard(this.path(diffId));
    return await this.#create(folder, diffId);
  }

  async #writeFirstRecord(folder: string, record: LayerRecord): Promise<void> {
    const path = `${folder}/layer.json`;
    await onDisk("store a layer", path, () => writeFile(path, encodeLayerRecord(record)));
  }

  async #writeRecord(record: LayerRecord, before: LayerRecord): Promise<void> {
    const { diffId } = record;
    await writeFileWhole(this.#env.temp, `${this.path(diffId)}/layer.json`, encodeLayerRecord(record), {
      attempt: `note what is known of layer "${diffId}"`,
      // What was safe must not become less so; a record of doubtful forms has nothing to lose.
      sync: !isUnsettled(before, this.#env.machine.bootId),
    });
  }
}

interface Form {
  readonly name: string;
  readonly isThere: (record: LayerRecord) => boolean;
  readonly mark: (record: LayerRecord) => LayerRecord;
  readonly locked: boolean;
}
