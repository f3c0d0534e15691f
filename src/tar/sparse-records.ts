import { TarError } from "./error.ts";
import { parseSparseMap, type SparseSegment } from "./sparse.ts";

/** What the GNU.sparse records of a PAX header say of a file. */
export interface SparseRecords {
  /** Bytes with the holes. */
  readonly realSize: number;
  /** The file's own name, where the header has another for readers that know no sparse files. */
  readonly name: string | undefined;
  /** Undefined where the map stands before the file's bytes (format 1.0). */
  readonly segments: readonly SparseSegment[] | undefined;
}

/**
 * Reads the records of formats 0.0, 0.1 and 1.0; undefined where there are none.
 * @throws {TarError} HEADER_INVALID, HEADER_TOO_LARGE; UNSUPPORTED for another format
 * @see https://www.gnu.org/software/tar/manual/html_section/Sparse-Formats.html
 */
export function readSparseRecords(records: ReadonlyMap<string, string>): SparseRecords | undefined {
  const sizeText = records.get("GNU.sparse.realsize") ?? records.get("GNU.sparse.size");
  if (sizeText === undefined) return undefined;
  const realSize = Number(sizeText);
  if (!/^[0-9]+$/.test(sizeText) || !Number.isSafeInteger(realSize)) {
    throw new TarError("HEADER_INVALID", "Cannot read archive: size of a sparse file is malformed");
  }
  const name = records.get("GNU.sparse.name") || undefined;
  const map = records.get("GNU.sparse.map");
  if (map !== undefined) return { realSize, name, segments: parseSparseMap(map) };
  if (records.get("GNU.sparse.major") === "1" && records.get("GNU.sparse.minor") === "0")
    return { realSize, name, segments: undefined };
  throw new TarError("UNSUPPORTED", "Cannot read archive: sparse file in an unknown format");
}
