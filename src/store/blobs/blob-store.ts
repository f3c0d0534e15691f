import { open, readdir, readFile, rename, stat, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import type { BlobBytes, BlobOpener, OpenBlobOptions } from "../../oci/blob-source.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { type Digest, digestOf, isDigest } from "../../oci/digest.ts";
import { OciError } from "../../oci/error.ts";
import { verifyBlob, verifyBytes } from "../../oci/verify-blob.ts";
import { diskFault, isErrno, onDisk } from "../disk/disk-fault.ts";
import { syncFolder, writeFileWhole } from "../disk/write-file.ts";
import type { StoreEnvironment } from "../environment.ts";
import type { BlobStore, WriteBlobOptions } from "../types.ts";
import { FileDigests } from "./file-digests.ts";
import { type BlobPart, openPartFile, writeThroughPart } from "./part-file.ts";
import { readChunks } from "./read-chunks.ts";
import { readSmallBlob, SMALL_BLOB_BYTES } from "./read-small.ts";

/** Past this age a small blob is on the disk, even if who wrote it died before syncing it: the kernel sees to that. */
const SETTLED_MS = 5 * 60 * 1000;

/** Most that `readBlob` holds: what the largest manifest or config that is accepted anywhere needs. */
const MAX_READ_BYTES = 8 * 1024 * 1024;

/** Blobs as files in an OCI image layout. */
export class DiskBlobStore implements BlobStore {
  readonly #env: StoreEnvironment;
  /** Blobs that are whole but perhaps not on the disk yet: `sync` sees to them, many at once. */
  readonly #unsynced = new Set<string>();
  readonly #unsyncedFolders = new Set<string>();
  readonly #digests = new FileDigests();

  constructor(env: StoreEnvironment) {
    this.#env = env;
  }

  blobPath(digest: Digest): string {
    return this.#env.paths.blob(digest);
  }

  async hasBlob({ digest, size }: Pick<Descriptor, "digest" | "size">): Promise<boolean> {
    const found = await this.statBlob(digest);
    return found !== undefined && found.size === size;
  }

  async statBlob(digest: Digest): Promise<{ readonly size: number } | undefined> {
    const path = this.blobPath(digest);
    try {
      return { size: (await stat(path)).size };
    } catch (error) {
      if (isErrno(error, "ENOENT")) return undefined;
      throw diskFault(`look for blob "${digest}"`, path, error);
    }
  }

  async openBlob(
    { digest, size }: Descriptor,
    { offset = 0, transient = false, signal }: OpenBlobOptions = {},
  ): Promise<BlobBytes> {
    const found = await this.statBlob(digest);
    if (found === undefined) throw notFound(digest);
    if (found.size !== size) throw corrupt(digest, `${found.size} bytes, not ${size}`);
    signal?.throwIfAborted();
    return readChunks(this.blobPath(digest), { offset, size, transient, signal });
  }

  async readBlob(
    digest: Digest,
    { maxBytes = MAX_READ_BYTES }: { readonly maxBytes?: number } = {},
  ): Promise<Uint8Array> {
    const path = this.blobPath(digest);
    const content = await onDisk(`read blob "${digest}"`, path, async () => {
      const found = await this.statBlob(digest);
      if (found === undefined) throw notFound(digest);
      if (found.size > maxBytes) {
        throw corrupt(digest, `${found.size} bytes, more than the ${maxBytes} allowed`);
      }
      return await readFile(path);
    });
    verifyBytes(content, { digest });
    return content;
  }

  async putBytes(content: Uint8Array, mediaType: string): Promise<Descriptor> {
    const descriptor: Descriptor = { mediaType, digest: digestOf(content), size: content.byteLength };
    await this.#putWhole(descriptor.digest, content);
    return descriptor;
  }

  async writeBlob(descriptor: Descriptor, open: BlobOpener, options: WriteBlobOptions = {}): Promise<void> {
    const { signal, onBytes } = options;
    if (await this.hasBlob(descriptor)) return;
    if (descriptor.size <= SMALL_BLOB_BYTES) {
      await this.#putWhole(descriptor.digest, await readSmallBlob(descriptor, open, options));
      return;
    }
    await writeThroughPart(() => this.openPart(descriptor, { signal }), descriptor, {
      open,
      signal,
      onBytes,
    });
  }

  async openPart(
    descriptor: Descriptor,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<BlobPart | undefined> {
    if (await this.hasBlob(descriptor)) return undefined;
    const lease = await this.#env.locks.acquireLock(`blob-${descriptor.digest}`, { signal });
    try {
      // Somebody else may have finished it while we waited.
      if (await this.hasBlob(descriptor)) {
        lease.release();
        return undefined;
      }
      const path = this.#env.paths.part(descriptor.digest);
      const target = this.blobPath(descriptor.digest);
      const part = await openPartFile(descriptor, { path, target, sync: true, digests: this.#digests });
      this.#unsyncedFolders.add(dirname(target));
      return {
        get offset() {
          return part.offset;
        },
        append: (chunk) => part.append(chunk),
        commit: () => part.commit(),
        discard: () => part.discard(),
        async [Symbol.asyncDispose]() {
          try {
            await part[Symbol.asyncDispose]();
          } finally {
            lease.release();
          }
        },
      };
    } catch (error) {
      lease.release();
      throw error;
    }
  }

  /** Removes a blob; what refers to it is not looked at. Returns false when there was none. */
  async removeBlob(digest: Digest): Promise<boolean> {
    const path = this.blobPath(digest);
    try {
      await unlink(path);
      this.#unsynced.delete(path);
      await unlink(this.#env.paths.layerOfBlob(digest)).catch(() => undefined); // most are no layers
      return true;
    } catch (error) {
      if (isErrno(error, "ENOENT")) return false;
      throw diskFault(`remove blob "${digest}"`, path, error);
    }
  }

  /** Reads a blob again; one whose bytes are wrong is removed, so that it can be fetched or made again. */
  async removeIfCorrupt(descriptor: Descriptor): Promise<boolean> {
    try {
      for await (const _ of verifyBlob(await this.openBlob(descriptor), descriptor)) {
        // Verifying is all that is wanted.
      }
      return false;
    } catch (error) {
      if (!(error instanceof OciError)) throw error;
      await this.removeBlob(descriptor.digest);
      return true;
    }
  }

  async *listBlobs(): AsyncGenerator<{ readonly digest: Digest; readonly size: number }> {
    for (const algorithm of ["sha256", "sha512"]) {
      const folder = `${this.#env.paths.root}/blobs/${algorithm}`;
      for (const hex of await readdir(folder).catch(() => [])) {
        const digest = `${algorithm}:${hex}`;
        if (!isDigest(digest)) continue;
        const found = await this.statBlob(digest);
        if (found !== undefined) yield { digest, size: found.size };
      }
    }
  }

  /** Brings everything written so far onto the disk. Large blobs are there already; small ones go in one batch. */
  async sync(): Promise<void> {
    const paths = [...this.#unsynced];
    const folders = [...this.#unsyncedFolders];
    await Promise.all(paths.map((path) => onDisk("sync a blob", path, () => syncFile(path))));
    await Promise.all(folders.map((path) => onDisk("sync the blobs", path, () => syncFolder(path))));
    for (const path of paths) this.#unsynced.delete(path);
    for (const folder of folders) this.#unsyncedFolders.delete(folder);
  }

  /** Makes a finished, synced file whose digest is known the blob. */
  async adoptFile(path: string, digest: Digest): Promise<void> {
    const target = this.blobPath(digest);
    await onDisk(`write blob "${digest}"`, target, () => rename(path, target));
    this.#unsyncedFolders.add(dirname(target));
  }

  async #putWhole(digest: Digest, content: Uint8Array): Promise<void> {
    const path = this.blobPath(digest);
    const age = await this.#ageOfSame(path, content);
    if (age === undefined) {
      await writeFileWhole(this.#env.temp, path, content, { attempt: `write blob "${digest}"`, sync: false });
    } else if (age > SETTLED_MS) {
      return;
    }
    this.#unsynced.add(path);
    this.#unsyncedFolders.add(dirname(path));
  }

  /**
   * How long ago these very bytes were stored; undefined when they are not there. Compared, not only looked up: writing a
   * blob is also how a damaged one is mended.
   */
  async #ageOfSame(path: string, content: Uint8Array): Promise<number | undefined> {
    try {
      await using handle = await open(path, "r");
      if (Buffer.compare(await handle.readFile(), content) !== 0) return undefined;
      return this.#env.machine.now() - (await handle.stat()).mtimeMs;
    } catch {
      return undefined;
    }
  }
}

async function syncFile(path: string): Promise<void> {
  try {
    await using handle = await open(path, "r+");
    await handle.datasync();
  } catch (error) {
    if (!isErrno(error, "ENOENT")) throw error; // removed meanwhile: nothing to keep
  }
}

function notFound(digest: Digest): OciError {
  return new OciError("BLOB_NOT_FOUND", `Cannot find blob "${digest}" in the store`);
}

function corrupt(digest: Digest, found: string): OciError {
  return new OciError("BLOB_CORRUPT", `Cannot use blob "${digest}": the store has ${found}`);
}
