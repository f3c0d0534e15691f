import { createWriteStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { blobName, LAYOUT_FILE, LAYOUT_TEXT } from "../../oci/image-layout.ts";
import type { BlobSource, Descriptor } from "../../oci/index.ts";
import { BuildError } from "../error.ts";
import type { WritableTarget } from "../types.ts";
import { writeWholeFile } from "./write-file.ts";

/** A file of an archive: bytes at hand, or a blob to be copied. */
export type ArchiveFile =
  | { readonly name: string; readonly bytes: Uint8Array }
  | { readonly name: string; readonly blob: Descriptor };

/**
 * The files of an OCI layout over `roots` (manifests or indexes) and the blobs under them.
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
 */
export function layoutFiles(
  roots: readonly Descriptor[],
  blobs: readonly Descriptor[],
  indexAnnotations: Readonly<Record<string, string>> = {},
): readonly ArchiveFile[] {
  const index = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests: roots,
    ...(Object.keys(indexAnnotations).length === 0 ? {} : { annotations: indexAnnotations }),
  };
  const unique = new Map(blobs.map((blob) => [blob.digest, blob]));
  return [
    ...[...unique.values()].map((blob) => ({ name: blobName(blob.digest), blob })),
    { name: "index.json", bytes: Buffer.from(JSON.stringify(index)) },
    { name: LAYOUT_FILE, bytes: Buffer.from(LAYOUT_TEXT) },
  ];
}

/**
 * Writes files as a tar: to a file, which appears whole or not at all, or to a stream.
 * @throws {BuildError} OUTPUT_FAILED
 */
export async function writeArchive(
  files: readonly ArchiveFile[],
  source: BlobSource,
  destination: string | WritableTarget,
  signal: AbortSignal,
): Promise<void> {
  if (typeof destination === "string") {
    try {
      return await writeWholeFile(destination, (target) => writeArchive(files, source, target, signal));
    } catch (cause) {
      signal.throwIfAborted();
      throw outputFailed(destination, cause);
    }
  }
  const { pack: createPack } = await import("tar-stream");
  const pack = createPack();
  const feed = async (): Promise<void> => {
    for (const file of files) {
      signal.throwIfAborted();
      const header = { name: file.name, mode: 0o644, mtime: new Date(0), size: fileSize(file) };
      const entry = pack.entry(header);
      if ("bytes" in file) entry.end(Buffer.from(file.bytes));
      else await pipeline(await source.openBlob(file.blob, { signal }), entry as unknown as Writable);
    }
    pack.finalize();
  };
  const feeding = feed();
  feeding.catch((error: unknown) => pack.destroy(error instanceof Error ? error : new Error(String(error))));
  for await (const chunk of pack) await destination.write(chunk as Uint8Array);
  await feeding;
}

/** Writes files into a folder, which is made where it is missing. @throws {BuildError} OUTPUT_FAILED */
export async function writeFolder(
  files: readonly ArchiveFile[],
  source: BlobSource,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    for (const file of files) {
      signal.throwIfAborted();
      const path = join(folder, file.name);
      await mkdir(dirname(path), { recursive: true });
      if ("bytes" in file) await writeFile(path, file.bytes);
      else await pipeline(await source.openBlob(file.blob, { signal }), createWriteStream(path));
    }
  } catch (cause) {
    signal.throwIfAborted();
    throw outputFailed(folder, cause);
  }
}

function outputFailed(destination: string, cause: unknown): BuildError {
  const { code } = cause as NodeJS.ErrnoException;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new BuildError("OUTPUT_FAILED", `Cannot write "${destination}": ${reason}`, {
    cause,
    ...(code === "ENOSPC" ? { hint: "The disk is full; free some space, the build itself is cached" } : {}),
    ...(code === "ENOENT" ? { hint: "Its folder does not exist" } : {}),
  });
}

function fileSize(file: ArchiveFile): number {
  return "bytes" in file ? file.bytes.length : file.blob.size;
}
