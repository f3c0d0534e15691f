import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { unlink } from "node:fs/promises";
import type { DiskBlobStore } from "../blobs/blob-store.ts";
import { diskFault, isErrno, onDisk } from "../disk/disk-fault.ts";
import { type StagedFile, stageFile, syncFolder } from "../disk/write-file.ts";
import type { StoreEnvironment } from "../environment.ts";
import { StoreError } from "../error.ts";
import type { ImageDescription, ImageRecord, ImageStore, LayerStore } from "../types.ts";
import { describeImage } from "./describe-image.ts";
import { decodeImageRecord, encodeImageRecord } from "./image-record.ts";
import { byReference, encodeLayoutIndex } from "./layout-index.ts";
import { idOf, withImage } from "./platform-images.ts";

/** Shorter beginnings of an image ID are taken for names. */
const MIN_ID_PREFIX = 4;

/** Held while image records and index.json change. */
const LOCK = "images";

interface Change {
  /** Completes "Cannot …" in an error. */
  readonly attempt: string;
  /** The records as they will be. */
  readonly after: (records: readonly ImageRecord[]) => readonly ImageRecord[];
  /** Prepares the change of the record file, where there is one. */
  readonly stage?: () => Promise<StagedFile>;
}

/** One record file for each name; the layout's index.json is made from them. */
export class DiskImageStore implements ImageStore {
  readonly #env: StoreEnvironment;
  readonly #blobs: DiskBlobStore;
  readonly #layers: LayerStore;

  constructor(env: StoreEnvironment, { blobs, layers }: { blobs: DiskBlobStore; layers: LayerStore }) {
    this.#env = env;
    this.#blobs = blobs;
    this.#layers = layers;
  }

  async find(name: string): Promise<ImageRecord | undefined> {
    const record = this.#read(this.#env.paths.imageRecord(name));
    if (record?.reference === name) return record;
    const prefix = idPrefix(name);
    return prefix === undefined ? undefined : this.#findById(name, prefix);
  }

  async list(): Promise<readonly ImageRecord[]> {
    return this.#readAll();
  }

  async put(given: ImageRecord): Promise<void> {
    const path = this.#env.paths.imageRecord(given.reference);
    const record = keepKnown(given, this.#read(path));
    const content = encodeImageRecord(record);
    // What the record names must not be less durable than the record.
    await this.#blobs.sync();
    if (this.#isWritten(path, content)) return;
    const attempt = `record image "${record.reference}"`;
    await this.#change({
      attempt,
      after: (records) => [...records.filter(({ reference }) => reference !== record.reference), record],
      stage: () => stageFile(this.#env.temp, path, content, { attempt, sync: true }),
    });
  }

  async remove(reference: string): Promise<boolean> {
    const path = this.#env.paths.imageRecord(reference);
    if (!existsSync(path)) return false;
    const attempt = `remove image "${reference}"`;
    let wasThere = true;
    await this.#change({
      attempt,
      after: (records) => records.filter((record) => record.reference !== reference),
      stage: async () => ({
        show: () =>
          onDisk(attempt, path, async () => {
            await unlink(path).catch((error: unknown) => {
              if (!isErrno(error, "ENOENT")) throw error;
              wasThere = false; // somebody else removed it meanwhile
            });
          }),
        discard: async () => undefined,
      }),
    });
    return wasThere;
  }

  describe(record: ImageRecord): Promise<ImageDescription> {
    return describeImage(record, { blobs: this.#blobs, layers: this.#layers });
  }

  /** Whether a process died between changing a record and writing index.json. */
  isIndexStale(): boolean {
    return existsSync(this.#env.paths.indexStale);
  }

  /** Writes index.json anew from the records. */
  async refreshIndex(): Promise<void> {
    await this.#change({ attempt: "write index.json", after: (records) => records });
  }

  /**
   * Changes the records and index.json: both are written before either is shown, so that a full disk changes nothing.
   * Between the two index.json is marked as stale, for the next start to mend.
   */
  async #change({ attempt, after, stage }: Change): Promise<void> {
    const { paths, locks, temp } = this.#env;
    await locks.withLease(LOCK, async () => {
      const content = encodeLayoutIndex(after(this.#readAll()));
      const staged = await Promise.allSettled([
        stage?.(),
        stageFile(temp, paths.index, content, { attempt, sync: true }),
      ]);
      const files = staged.flatMap((each) => (each.status === "fulfilled" ? (each.value ?? []) : []));
      const failed = staged.find((each) => each.status === "rejected");
      if (failed !== undefined) {
        for (const file of files) await file.discard();
        throw failed.reason;
      }
      await onDisk(attempt, paths.indexStale, () => writeFileSync(paths.indexStale, ""));
      for (const file of files) await file.show();
      await onDisk(attempt, paths.images, async () => {
        await unlink(paths.indexStale);
        await Promise.all([syncFolder(paths.images), syncFolder(paths.root)]);
      });
    });
  }

  #findById(name: string, prefix: string): ImageRecord | undefined {
    const records = this.#readAll();
    const whole = records.filter((record) => idOf(record).startsWith(prefix));
    const found = whole.length > 0 ? whole : records.flatMap((record) => partsOf(record, prefix));
    const ids = new Set(found.map(idOf));
    if (ids.size > 1) {
      throw new StoreError(
        "IMAGE_AMBIGUOUS",
        `Cannot tell which image "${name}" is: ${ids.size} have such an ID`,
        {
          hint: "Give more digits of the image ID",
        },
      );
    }
    return found[0];
  }

  #isWritten(path: string, content: string): boolean {
    try {
      return readFileSync(path, "utf8") === content && !this.isIndexStale();
    } catch {
      return false;
    }
  }

  #readAll(): readonly ImageRecord[] {
    const { images } = this.#env.paths;
    try {
      return readdirSync(images)
        .filter((name) => name.endsWith(".json"))
        .map((name) => this.#read(`${images}/${name}`))
        .filter((record) => record !== undefined)
        .sort(byReference);
    } catch (error) {
      throw diskFault("list the images", images, error);
    }
  }

  /** Synchronous, like all reading of records: small files in the page cache. */
  #read(path: string): ImageRecord | undefined {
    try {
      return decodeImageRecord(readFileSync(path));
    } catch (error) {
      if (isErrno(error, "ENOENT", "ENAMETOOLONG")) return undefined;
      throw diskFault("read an image record", path, error);
    }
  }
}

/** The same image again: since when it has been here, and a manifest that was made for it, are no news. */
function keepKnown(given: ImageRecord, known: ImageRecord | undefined): ImageRecord {
  if (known?.reference !== given.reference || known.imageId !== given.imageId) return given;
  const manifest = given.manifest ?? known.manifest;
  return { ...given, ...(manifest === undefined ? {} : { manifest }), createdAt: known.createdAt };
}

/** Images of several platforms whose own ID begins so: each is an image without a name. */
function partsOf(record: ImageRecord, prefix: string): ImageRecord[] {
  if (record.images === undefined) return [];
  return record.images
    .filter(({ imageId }) => imageId.startsWith(prefix))
    .map((image) => ({ ...withImage(record, image), reference: image.imageId }));
}

/** `sha256:` and the digits, for something that can be the beginning of an image ID. */
function idPrefix(name: string): string | undefined {
  const match = /^(?:sha256:)?([0-9a-f]{1,64})$/.exec(name);
  const hex = match?.[1];
  return hex === undefined || hex.length < MIN_ID_PREFIX ? undefined : `sha256:${hex}`;
}
