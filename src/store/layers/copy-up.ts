import { closeSync, openSync, readSync } from "node:fs";
import type { LayerEntry } from "../../oci/layer-entry.ts";
import { fsPath, Xattrs } from "../../sys/index.ts";
import { LayerError } from "./error.ts";
import { readLink, statHost } from "./host-files.ts";
import { readLayerXattrs } from "./overlay-marks.ts";
import type { SnapshotWriter } from "./snapshot-writer.ts";
import { OPEN_SOURCE } from "./source-file.ts";

const CHUNK_BYTES = 1024 * 1024;

/**
 * Makes `entry`, a hard link to a lower layer's file at `source` (host path as bytes), a copy of that file: one overlay layer
 * cannot link into another. Owner, mode and time are the entry's, attributes too if it has any.
 */
export function copyUp(source: string, entry: LayerEntry, writer: SnapshotWriter): void {
  const stats = statHost(source);
  if (stats?.isSymbolicLink()) {
    writer.write({ ...entry, kind: "symlink", link: readLink(source) });
    return;
  }
  if (stats?.isFile() !== true) {
    throw new LayerError("ENTRY_INVALID", `Cannot unpack ${JSON.stringify(entry.path)}: it links to no file`);
  }
  const xattrs = entry.xattrs ?? readLayerXattrs(new Xattrs(), source);
  const file = writer.createFile({ ...entry, kind: "file", ...(xattrs !== undefined && { xattrs }) });
  try {
    const fd = openSync(fsPath(source), OPEN_SOURCE);
    try {
      const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, stats.size + 1));
      for (let count = 1; count > 0; ) {
        count = readSync(fd, buffer, 0, buffer.length, null);
        file.write(buffer.subarray(0, count));
      }
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    file.abandon();
    throw error;
  }
  file.close();
}
