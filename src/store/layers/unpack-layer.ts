import { createHash } from "node:crypto";
import type { Digest } from "../../oci/digest.ts";
import { type ByteString, toByteString } from "../../oci/layer-entry.ts";
import { TarParser } from "../../tar/index.ts";
import { LayerError } from "./error.ts";
import { LayerSink } from "./layer-sink.ts";
import { readAhead } from "./read-ahead.ts";

export interface UnpackLayerOptions {
  /** What the sha256 of all bytes must be; without it whatever comes is accepted. */
  readonly expectedDiffId?: Digest;
  /**
   * Where a lower layer's file is (bytes), for hard links into lower layers, which become copies, and for the
   * attributes of folders that the layer leaves out; undefined when the layers below have no such path.
   */
  readonly resolveLower?: (path: ByteString) => string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface UnpackedLayer {
  readonly diffId: Digest;
  /** Bytes of the tar, with all padding. */
  readonly tarSize: number;
  /**
   * Folders that hold entries but have none of their own. They were made like the layers below have them, if
   * `resolveLower` knew, else 0755 and owned by root.
   */
  readonly impliedFolders: readonly ByteString[];
}

/**
 * Unpacks a layer's uncompressed tar into `dir` (an empty folder) in overlay form. The archive is not trusted:
 * nothing is written outside of `dir`, through no symlink, and of several entries for one path the last counts.
 *
 * The next chunk is asked for while the current one is in use, so each must be a buffer of its own.
 *
 * On failure `dir` holds what was written so far, for its owner to discard.
 * @throws {LayerError} DIFF_ID_MISMATCH, LINK_TARGET_MISSING, ENTRY_INVALID, NOT_PERMITTED
 * @throws {TarError}
 */
export async function unpackLayer(
  tar: AsyncIterable<Uint8Array>,
  dir: string,
  options: UnpackLayerOptions = {},
): Promise<UnpackedLayer> {
  const hash = createHash("sha256");
  const sink = new LayerSink(toByteString(dir), options.resolveLower);
  // A layer cut off between two entries is told by its digest.
  const parser = new TarParser(sink, { allowMissingEnd: true });
  let tarSize = 0;
  try {
    for await (const chunk of readAhead(tar)) {
      options.signal?.throwIfAborted();
      hash.update(chunk);
      tarSize += chunk.length;
      parser.write(chunk);
    }
    parser.finish();
  } catch (error) {
    sink.abandon();
    throw error;
  }
  const diffId = `sha256:${hash.digest("hex")}` as Digest;
  if (options.expectedDiffId !== undefined && diffId !== options.expectedDiffId) {
    throw new LayerError(
      "DIFF_ID_MISMATCH",
      `Cannot unpack layer "${options.expectedDiffId}": it is "${diffId}"`,
      {
        hint: "The image is damaged or was altered: its config names another digest than its layer has",
      },
    );
  }
  return { diffId, tarSize, impliedFolders: sink.finish() };
}
