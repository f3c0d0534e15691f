import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { BlobOpener, BlobSink } from "../../oci/blob-source.ts";
import { bytesOnce } from "../../oci/bytes-once.ts";
import { decodeIndex } from "../../oci/decode-manifest.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { type Digest, digestOf } from "../../oci/digest.ts";
import { OciError } from "../../oci/error.ts";
import { blobName, LAYOUT_FILE, LAYOUT_TEXT, REF_NAME } from "../../oci/image-layout.ts";
import type { ImageIndex } from "../../oci/manifest.ts";
import type { ManifestSink } from "../../oci/manifest-source.ts";
import { MEDIA_TYPES } from "../../oci/media-types.ts";
import { FileDigests } from "../blobs/file-digests.ts";
import { type BlobPart, openPartFile, writeThroughPart } from "../blobs/part-file.ts";
import { readSmallBlob, SMALL_BLOB_BYTES } from "../blobs/read-small.ts";
import { isErrno } from "../disk/disk-fault.ts";
import type { WriteBlobOptions } from "../types.ts";
import { claimPart } from "./claim-part.ts";
import { TransportError } from "./error.ts";
import { whileLocked } from "./lock-folder.ts";
import { ReferrerEntries } from "./referrer-entries.ts";

/** Adds images to an image layout in a folder, which is made where it is missing. Blobs appear whole or not at all. */
export class FolderWriter implements BlobSink, ManifestSink {
  readonly #folder: string;
  readonly #shown: string;
  readonly #digests = new FileDigests();
  readonly #referrers = new ReferrerEntries();

  private constructor(folder: string, shown: string) {
    this.#folder = folder;
    this.#shown = shown;
  }

  /** @throws {TransportError} ARCHIVE_INVALID for a folder that holds something else; NOT_WRITABLE */
  static async open(folder: string, shown: string = folder): Promise<FolderWriter> {
    const writer = new FolderWriter(folder, shown);
    const names = await writer.#onDisk(() =>
      readdir(folder).catch((error: unknown): string[] => {
        if (isErrno(error, "ENOENT")) return [];
        throw error;
      }),
    );
    const isLayout = names.includes("index.json") || names.includes(LAYOUT_FILE);
    if (names.length > 0 && !isLayout) {
      throw new TransportError("ARCHIVE_INVALID", `Cannot write into "${shown}": it is no image layout`, {
        hint: "Name an empty folder, one that does not exist, or an OCI image layout",
      });
    }
    await writer.#onDisk(async () => {
      await mkdir(folder, { recursive: true });
      // First of all: whoever comes after a copy that was broken off, or while one is at work, sees what this is.
      if (!isLayout) await writeFile(join(folder, LAYOUT_FILE), LAYOUT_TEXT);
      await mkdir(join(folder, "blobs/sha256"), { recursive: true });
    });
    return writer;
  }

  async hasBlob({ digest, size }: Descriptor): Promise<boolean> {
    try {
      return (await stat(this.#path(blobName(digest)))).size === size;
    } catch (error) {
      if (isErrno(error, "ENOENT")) return false;
      throw this.#notWritable(error);
    }
  }

  async writeBlob(
    descriptor: Descriptor,
    openBlob: BlobOpener,
    options: WriteBlobOptions = {},
  ): Promise<void> {
    if (await this.hasBlob(descriptor)) return;
    const target = this.#path(blobName(descriptor.digest));
    await this.#onDisk(() => mkdir(dirname(target), { recursive: true }));
    if (descriptor.size <= SMALL_BLOB_BYTES) {
      const bytes = await readSmallBlob(descriptor, openBlob, options);
      await this.#onDisk(() => writeWhole(target, bytes));
      return;
    }
    await writeThroughPart(() => this.#openPart(descriptor, target), descriptor, {
      ...options,
      open: openBlob,
    });
  }

  /** Undefined when somebody else has finished the blob meanwhile. */
  async #openPart(descriptor: Descriptor, target: string): Promise<BlobPart | undefined> {
    const { path, isKept, release } = claimPart(target);
    try {
      if (await this.hasBlob(descriptor)) {
        await rm(path, { force: true });
        release();
        return undefined;
      }
      const asError = (error: unknown): unknown => this.#notWritable(error);
      const place = { path, target, sync: false, digests: this.#digests, asError };
      const part = await openPartFile(descriptor, place);
      // What the disk has no room for, or has no right to, would only be in the way there.
      let isUseful = isKept;
      const useless = (error: unknown): never => {
        isUseful = false;
        throw error;
      };
      return {
        get offset() {
          return part.offset;
        },
        append: (chunk) => part.append(chunk)?.catch(useless),
        commit: () => part.commit().catch(useless),
        discard: () => part.discard(),
        async [Symbol.asyncDispose]() {
          try {
            await (isUseful ? part[Symbol.asyncDispose]() : part.discard());
          } finally {
            release();
          }
        },
      };
    } catch (error) {
      release();
      throw error;
    }
  }

  async pushManifest(
    bytes: Uint8Array,
    {
      mediaType,
      digest = digestOf(bytes),
    }: { readonly mediaType: string; readonly digest?: Digest | undefined },
  ): Promise<Descriptor> {
    const descriptor = { mediaType, digest, size: bytes.byteLength };
    await this.writeBlob(descriptor, async ({ offset }) => bytesOnce(bytes.subarray(offset)));
    this.#referrers.note(bytes, descriptor);
    return descriptor;
  }

  /** Lists images in index.json, each in the place of what had its name before, and what was written about them. */
  async finish(images: readonly Descriptor[]): Promise<void> {
    const roots = this.#referrers.join(images);
    // What others add meanwhile must not be lost.
    await this.#onDisk(() => whileLocked(this.#folder, () => this.#list(roots)));
  }

  async #list(roots: readonly Descriptor[]): Promise<void> {
    const before = await this.#readIndex();
    const kept = (before?.manifests ?? []).filter((entry) => !roots.some((root) => isSameEntry(entry, root)));
    const index = {
      ...before,
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociIndex,
      manifests: [...kept, ...roots],
    };
    const temporary = this.#path(`.index-${randomUUID()}`);
    await writeFile(this.#path(LAYOUT_FILE), LAYOUT_TEXT);
    await writeFile(temporary, JSON.stringify(index));
    await rename(temporary, this.#path("index.json"));
  }

  async #readIndex(): Promise<ImageIndex | undefined> {
    try {
      return decodeIndex(await readFile(this.#path("index.json")));
    } catch (error) {
      if (isErrno(error, "ENOENT")) return undefined;
      if (!(error instanceof OciError)) throw this.#notWritable(error);
      throw new TransportError("ARCHIVE_INVALID", `Cannot add to "${this.#shown}": its index.json is none`, {
        cause: error,
      });
    }
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }

  async #onDisk<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw this.#notWritable(error);
    }
  }

  #notWritable(error: unknown): unknown {
    return notWritable(this.#shown, error);
  }
}

/** A refusal of the file system as an error; anything else as it is. */
export function notWritable(shown: string, cause: unknown): unknown {
  const { code, syscall } = cause as NodeJS.ErrnoException;
  if (syscall === undefined || code === undefined) return cause;
  return new TransportError("NOT_WRITABLE", `Cannot write "${shown}": ${REASONS[code] ?? code}`, { cause });
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "its folder does not exist",
  ENOTDIR: "something on its path is no folder",
  EISDIR: "it is a folder",
  EEXIST: "it is no folder",
  EACCES: "permission denied",
  EROFS: "the file system is read-only",
  ENOSPC: "no space is left on the disk",
};

/** The same name; or the same content, and no name at all. */
function isSameEntry(before: Descriptor, added: Descriptor): boolean {
  const name = before.annotations?.[REF_NAME];
  if (name !== added.annotations?.[REF_NAME]) return false;
  return name !== undefined || before.digest === added.digest;
}

async function writeWhole(target: string, bytes: Uint8Array): Promise<void> {
  const path = join(dirname(target), `.${randomUUID()}`);
  try {
    await writeFile(path, bytes, { flag: "wx", mode: 0o644 });
    await rename(path, target);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}
