import { isUtf8 } from "node:buffer";
import { TarError } from "./error.ts";

/** A key and its value: bytes, or text with one latin1 character for each byte. */
export type PaxRecord = readonly [key: string, value: string | Uint8Array];

/**
 * Records as `LENGTH KEY=VALUE\n`, where LENGTH counts itself. A name that is no UTF-8 is announced by `hdrcharset=BINARY`.
 * @see https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_03
 */
export function encodePaxRecords(records: readonly PaxRecord[]): Buffer {
  const binary = records.some(
    ([, value]) => typeof value === "string" && !isUtf8(Buffer.from(value, "latin1")),
  );
  const all: readonly PaxRecord[] = binary ? [["hdrcharset", "BINARY"], ...records] : records;
  return Buffer.concat(all.map(encodeRecord));
}

/**
 * Reads the body of a PAX header. Values are bytes as latin1; a later record of the same key replaces an earlier one, but
 * for those of GNU's sparse format 0.0, which repeats two keys: they come as the `GNU.sparse.map` of format 0.1.
 * @throws {TarError} HEADER_INVALID
 */
export function decodePaxRecords(body: Uint8Array): Map<string, string> {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const records = new Map<string, string>();
  const sparse: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    // Some writers pad the body with NULs.
    if (bytes[at] === 0) break;
    const space = bytes.indexOf(0x20, at);
    const digits = space < 0 || space - at > 9 ? "" : bytes.toString("latin1", at, space);
    const length = /^[0-9]+$/.test(digits) ? Number(digits) : 0;
    const end = at + length;
    const equals = bytes.indexOf(0x3d, space);
    if (length === 0 || end > bytes.length || bytes[end - 1] !== 0x0a || equals < 0 || equals >= end) {
      throw new TarError("HEADER_INVALID", "Cannot read archive: extended header has a malformed record");
    }
    const key = bytes.toString("latin1", space + 1, equals);
    const value = bytes.toString("latin1", equals + 1, end - 1);
    if (key === "GNU.sparse.offset" || key === "GNU.sparse.numbytes") sparse.push(value);
    else records.set(key, value);
    at = end;
  }
  if (sparse.length > 0) records.set("GNU.sparse.map", sparse.join(","));
  return records;
}

function encodeRecord([key, value]: PaxRecord): Buffer {
  const head = Buffer.from(` ${key}=`, "latin1");
  const body = typeof value === "string" ? Buffer.from(value, "latin1") : value;
  const rest = head.length + body.length + 1;
  let length = rest + String(rest).length;
  if (String(length).length !== String(rest).length) length = rest + String(length).length;
  return Buffer.concat([Buffer.from(String(length), "latin1"), head, body, NEWLINE]);
}

const NEWLINE = Buffer.from("\n");
