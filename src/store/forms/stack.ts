import { setMaxListeners } from "node:events";
import { computeChainIds } from "../../oci/chain-id.ts";
import { type Digest, splitDigest } from "../../oci/digest.ts";
import type { ByteString } from "../../oci/layer-entry.ts";
import { LayerError } from "../layers/error.ts";
import type { MergedTree } from "../layers/index.ts";
import type { LayerFolders } from "./layer-folders.ts";
import type { Unpacker } from "./unpacker.ts";

/** What a folder gets that its layer does not say anything about. */
const IMPLIED = { mode: 0o755, uid: 0, gid: 0 } as const;

export interface StackParts {
  readonly folders: LayerFolders;
  readonly unpacker: Unpacker;
}

/**
 * The unpacked layers of an image, lowest first. All are unpacked side by side, each by itself; then, in order, those
 * few that mean something else on top of the others get a variant for this stack:
 *
 * - a layer that has `tmp/x` but no entry for `tmp`, which must stay as the layers below have it, while overlay
 *   shows the upper folder's mode and owner;
 * - a layer with a hard link to a lower layer's file.
 */
export async function ensureStack(
  diffIds: readonly Digest[],
  { folders, unpacker }: StackParts,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const alone = await unpackSideBySide(diffIds, unpacker, signal);
  const chainIds = computeChainIds(diffIds);
  const paths: string[] = [];
  for (const [i, diffId] of diffIds.entries()) {
    const path = alone[i];
    if (i === 0 && path !== undefined) {
      paths.push(path);
      continue;
    }
    const implied = folders.read(diffId)?.snapshot?.impliedFolders ?? [];
    if (path !== undefined && implied.length === 0) {
      paths.push(path);
      continue;
    }
    const { MergedTree } = await import("../layers/index.ts");
    const below = new MergedTree([...paths].reverse());
    if (path !== undefined && implied.every((folder) => isAsImplied(below, folder))) {
      paths.push(path);
      continue;
    }
    const chain = chainIds[i - 1];
    const variant = chain === undefined ? "on-nothing" : `on-${splitDigest(chain).hex.slice(0, 32)}`;
    const resolve = (name: ByteString): string | undefined => below.lstat(name)?.hostPath;
    paths.push(await unpacker.ensure(diffId, signal, { variant, resolve }));
  }
  return paths;
}

/** Undefined for layers that can't be unpacked without those below. When one fails the others are stopped. */
async function unpackSideBySide(
  diffIds: readonly Digest[],
  unpacker: Unpacker,
  signal: AbortSignal | undefined,
): Promise<readonly (string | undefined)[]> {
  const controller = new AbortController();
  const either = signal === undefined ? controller.signal : AbortSignal.any([signal, controller.signal]);
  setMaxListeners(0, either); // one for each layer
  const results = await Promise.allSettled(
    diffIds.map(async (diffId) => {
      try {
        return await unpacker.ensure(diffId, either);
      } catch (error) {
        if (error instanceof LayerError && error.code === "LINK_TARGET_MISSING") return undefined;
        controller.abort(error);
        throw error;
      }
    }),
  );
  signal?.throwIfAborted();
  controller.signal.throwIfAborted(); // with the first error
  return results.map((result) => (result.status === "fulfilled" ? result.value : undefined));
}

function isAsImplied(below: MergedTree, folder: string): boolean {
  const found = below.lstat(folder as ByteString);
  // Where the layers below have a link or nothing, nobody's attributes are to be kept.
  if (found?.kind !== "dir") return true;
  return found.mode === IMPLIED.mode && found.uid === IMPLIED.uid && found.gid === IMPLIED.gid;
}
