import { copyFile, rename } from "node:fs/promises";
import { resolve } from "node:path";
import { type BlobSource, type Descriptor, OciError, toByteString } from "../../oci/index.ts";
import { distinctBlobs, PARALLEL_BLOBS } from "../../registry/images/pull-image.ts";
import type { ArtifactEntry } from "../../registry/index.ts";
import { runParallel } from "../../registry/parallel.ts";
import { pushInto } from "../images/open-target.ts";
import type { Workbench } from "../images/workbench.ts";
import { checkPlace, type PlaceOptions, placeTree } from "./place-files.ts";
import { Stage } from "./stage.ts";
import { unpackFolder } from "./unpack-folder.ts";
import { writeFailed } from "./write-failed.ts";

/** A blob that came wrong is fetched so many times in all. */
const TRIES = 2;

export interface PullFilesOptions extends Omit<PlaceOptions, "target"> {
  readonly from: BlobSource;
  readonly bench: Workbench;
  readonly vertex: string;
  /** Told of a blob that came wrong, before it is fetched again. */
  readonly onCorrupt: (descriptor: Descriptor) => Promise<void>;
  /** Told, in words, what of a pull that failed is kept for the next. */
  readonly onKept: (text: string) => void;
}

/**
 * Fetches the blobs of an artifact's entries and makes the files of them in a folder. They appear there when all have
 * arrived and are verified. What was fetched of a pull that was broken off is gone on with.
 * @throws {CliError} OUTPUT_REFUSED, INPUT_UNUSABLE; what `from` throws
 */
export async function pullFiles(entries: readonly ArtifactEntry[], options: PullFilesOptions): Promise<void> {
  const { bench, shown, onKept } = options;
  const { cwd, signal } = bench.context;
  const place = { ...options, target: resolve(cwd, shown) };
  for (const { path, kind } of entries) checkPlace(path, kind, place);
  await using stage = await Stage.open(place.target, shown);
  try {
    const blobs = distinctBlobs(entries.map(({ descriptor }) => descriptor));
    await runParallel(blobs, PARALLEL_BLOBS, (blob, inner) => fetchBlob(blob, stage, options, inner), signal);
  } catch (error) {
    if (await stage.isWorthKeeping()) onKept(`What has arrived is kept in "${shown}" for the next pull`);
    throw writeFailed(shown, error);
  }
  stage.forgetBlobs();
  try {
    for (const [i, entry] of entries.entries()) {
      const isLast = !entries
        .slice(i + 1)
        .some(({ descriptor }) => descriptor.digest === entry.descriptor.digest);
      await makeFile(entry, stage, { isLast, signal });
    }
    placeTree(stage.tree, place);
    stage.finish();
  } catch (error) {
    throw writeFailed(shown, error);
  }
}

async function fetchBlob(
  descriptor: Descriptor,
  stage: Stage,
  { from, bench, vertex, onCorrupt }: PullFilesOptions,
  signal: AbortSignal,
): Promise<void> {
  const fetch = pushInto(stage, { bench, vertex });
  for (let attempt = 1; ; attempt++) {
    try {
      await fetch(descriptor, (at) => from.openBlob(descriptor, at), signal);
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (attempt === TRIES || !(error instanceof OciError) || error.code !== "BLOB_CORRUPT") throw error;
      await onCorrupt(descriptor);
    }
  }
}

async function makeFile(
  entry: ArtifactEntry,
  stage: Stage,
  { isLast, signal }: { readonly isLast: boolean; readonly signal: AbortSignal },
): Promise<void> {
  const { tree } = stage;
  const blob = stage.blobPath(entry.descriptor.digest);
  if (entry.kind === "folder") {
    await unpackFolder(blob, entry, tree, signal);
    return;
  }
  const path = toByteString(entry.path);
  // Claims the place; what is put there is the blob itself.
  tree.createFile(path, { owner: entry, mode: 0o666, mtimeSeconds: 0 }).close();
  if (isLast) await rename(blob, tree.hostPath(path));
  else await copyFile(blob, tree.hostPath(path));
}
