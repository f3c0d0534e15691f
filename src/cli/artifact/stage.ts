import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { lstat, mkdir, mkdtemp, readdir, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type BlobOpener, type Descriptor, type Digest, splitDigest, toByteString } from "../../oci/index.ts";
import { FileDigests } from "../../store/blobs/file-digests.ts";
import { openPartFile, writeThroughPart } from "../../store/blobs/part-file.ts";
import { bindFlock } from "../../sys/flock.ts";
import { StageTree } from "./stage-tree.ts";
import { writeFailed } from "./write-failed.ts";

/** What the folder is called in which a pull gathers what arrives; no file of an artifact may be called so. */
export const STAGE_NAME = ".strake-pull";

/** Less than this is not worth going on with. */
const WORTH_KEEPING_BYTES = 1024 * 1024;

/** Where a pull gathers what arrives, in the folder that it is for: blobs, then files made of them. */
export class Stage implements AsyncDisposable {
  readonly tree: StageTree;
  readonly #folder: string;
  readonly #target: MadeFolder;
  readonly #lock: number | undefined;
  readonly #complete = new Set<Digest>();
  readonly #digests = new FileDigests();
  #keepsBlobs = true;
  #isFinished = false;

  private constructor(folder: string, target: MadeFolder, lock: number | undefined) {
    this.#folder = folder;
    this.#target = target;
    this.#lock = lock;
    this.tree = new StageTree(toByteString(join(folder, "tree")));
  }

  /**
   * Opens a stage in `target`, which is made where it is missing. What an earlier pull left there is gone on with, unless
   * another one is at work on it.
   * @throws {CliError} INPUT_UNUSABLE when `target` can't be written
   */
  static async open(target: string, shown: string): Promise<Stage> {
    try {
      const first = await mkdir(target, { recursive: true });
      const usual = join(target, STAGE_NAME);
      const lock = await lockFolder(usual);
      const folder = lock === undefined ? await mkdtemp(`${usual}-`) : usual;
      await rm(join(folder, "tree"), { recursive: true, force: true });
      await mkdir(join(folder, "tree"));
      return new Stage(folder, { path: target, shown, first }, lock);
    } catch (error) {
      throw writeFailed(shown, error);
    }
  }

  async hasBlob({ digest }: Descriptor): Promise<boolean> {
    return this.#complete.has(digest);
  }

  /** Where a blob is, once it has been written. */
  blobPath(digest: Digest): string {
    const { algorithm, hex } = splitDigest(digest);
    return join(this.#folder, `${algorithm}-${hex}`);
  }

  /** Gets a blob, from where the last pull left off. @throws {OciError} BLOB_CORRUPT */
  async writeBlob(
    descriptor: Descriptor,
    open: BlobOpener,
    { signal, onBytes }: { readonly signal: AbortSignal; readonly onBytes: (count: number) => void },
  ): Promise<void> {
    const target = this.blobPath(descriptor.digest);
    const path = `${target}.part`;
    // What was complete is read again like any beginning: nobody knows who has been at it since.
    await rename(target, path).catch(() => undefined);
    const asError = (error: unknown): unknown => writeFailed(this.#target.shown, error);
    const place = { path, target, sync: false, digests: this.#digests, asError };
    await writeThroughPart(() => openPartFile(descriptor, place), descriptor, { open, signal, onBytes });
    this.#complete.add(descriptor.digest);
  }

  /** All has arrived: whatever fails now, fetching it once more would not help. */
  forgetBlobs(): void {
    this.#keepsBlobs = false;
  }

  /** The files are in their places. */
  finish(): void {
    this.#isFinished = true;
  }

  /** Whether enough has arrived that another pull should go on with it. */
  async isWorthKeeping(): Promise<boolean> {
    if (!this.#keepsBlobs || this.#lock === undefined) return false;
    let bytes = 0;
    for (const name of await readdir(this.#folder)) {
      const found = await lstat(join(this.#folder, name)).catch(() => undefined);
      if (found?.isFile() === true) bytes += found.size;
    }
    return bytes >= WORTH_KEEPING_BYTES;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      const kept = await this.isWorthKeeping();
      await rm(kept ? join(this.#folder, "tree") : this.#folder, { recursive: true, force: true });
      if (!this.#isFinished) await removeMade(this.#target);
    } catch {
      // What is left is in a folder of ours, and in nobody's way.
    } finally {
      if (this.#lock !== undefined) closeSync(this.#lock);
    }
  }
}

/** The folder that a pull is for. */
interface MadeFolder {
  readonly path: string;
  /** As the person wrote it. */
  readonly shown: string;
  /** The first folder on its path that was not there; undefined when all were. */
  readonly first: string | undefined;
}

/** Removes folders that were made for nothing. */
async function removeMade({ path, first }: MadeFolder): Promise<void> {
  if (first === undefined) return;
  for (let folder = path; folder.startsWith(first); folder = dirname(folder)) await rmdir(folder);
}

/** Makes the folder where it is missing, and locks it for as long as this process lives; undefined when somebody else has it. */
async function lockFolder(path: string): Promise<number | undefined> {
  await mkdir(path, { recursive: true, mode: 0o700 }).catch(() => undefined);
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch {
    return undefined;
  }
  try {
    const { ino, uid } = fstatSync(fd);
    const isLocked = uid === process.geteuid?.() && bindFlock().tryLock(fd, "exclusive");
    // Who had it before may have removed it by now: then what we hold is no folder that anybody finds.
    if (isLocked && (await stat(path)).ino === ino) return fd;
  } catch {
    // A file system without locks, or the folder has gone.
  }
  closeSync(fd);
  return undefined;
}
