import type { LayerEntry, LayerEntryKind } from "../oci/layer-entry.ts";
import { encodePaxRecords, type PaxRecord } from "./pax.ts";
import { tarPath } from "./whiteout.ts";

export const BLOCK_SIZE = 512;

/** What eleven and seven octal digits can hold: the numbers beyond go into PAX records. */
const MAX_OCTAL_11 = 0o77777777777;
const MAX_OCTAL_7 = 0o7777777;
const NAME_BYTES = 100;
const PREFIX_BYTES = 155;

/**
 * The header blocks of one entry: a ustar header, preceded by a PAX header when something does not fit one.
 * The file's bytes and `paddingOf(size)` zeros follow, written by the caller.
 *
 * This encoding decides diffIDs: a change of any byte here changes every layer's digest. That is why it does not
 * use a package's codec.
 * @see https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_06
 */
export function encodeHeader(entry: LayerEntry): Buffer {
  const records: PaxRecord[] = [];
  const path = tarPath(entry);
  const link = linkOf(entry);
  const name = splitName(path);
  if (name === undefined) records.push(["path", path]);
  if (!fits(link)) records.push(["linkpath", link]);
  if (!inOctal(entry.uid, MAX_OCTAL_7)) records.push(["uid", String(entry.uid)]);
  if (!inOctal(entry.gid, MAX_OCTAL_7)) records.push(["gid", String(entry.gid)]);
  if (!inOctal(entry.size, MAX_OCTAL_11)) records.push(["size", String(entry.size)]);
  if (!inOctal(entry.mtimeSeconds, MAX_OCTAL_11)) records.push(["mtime", String(entry.mtimeSeconds)]);
  if (entry.xattrs !== undefined && entry.kind !== "hardlink") pushXattrs(records, entry.xattrs);

  const extended = records.length === 0 ? undefined : encodePaxRecords(records);
  const start = extended === undefined ? 0 : BLOCK_SIZE + extended.length + paddingOf(extended.length);
  const blocks = Buffer.alloc(start + BLOCK_SIZE);
  if (extended !== undefined) {
    writeUstar(blocks, 0, { ...PAX_HEADER, size: extended.length });
    extended.copy(blocks, BLOCK_SIZE);
  }
  writeUstar(blocks, start, {
    prefix: name?.prefix ?? "",
    name: name?.name ?? fallbackName(path),
    mode: entry.mode & 0o7777,
    uid: inOctal(entry.uid, MAX_OCTAL_7) ? entry.uid : 0,
    gid: inOctal(entry.gid, MAX_OCTAL_7) ? entry.gid : 0,
    size: inOctal(entry.size, MAX_OCTAL_11) ? entry.size : 0,
    mtime: inOctal(entry.mtimeSeconds, MAX_OCTAL_11) ? entry.mtimeSeconds : 0,
    type: TYPE_FLAGS[entry.kind],
    link: fits(link) ? link : fallbackName(link),
    major: entry.major ?? 0,
    minor: entry.minor ?? 0,
  });
  return blocks;
}

/** Zeros between the end of a file's bytes and the next block. */
export function paddingOf(size: number): number {
  return (BLOCK_SIZE - (size % BLOCK_SIZE)) % BLOCK_SIZE;
}

/** Two blocks of zeros end an archive. */
export const END_OF_ARCHIVE_BYTES: number = 2 * BLOCK_SIZE;

interface UstarFields {
  readonly prefix: string;
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  readonly type: string;
  readonly link: string;
  readonly major: number;
  readonly minor: number;
}

const PAX_HEADER: Omit<UstarFields, "size"> = {
  prefix: "",
  name: "PaxHeader",
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtime: 0,
  type: "x",
  link: "",
  major: 0,
  minor: 0,
};

const TYPE_FLAGS: Readonly<Record<LayerEntryKind, string>> = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  char: "3",
  block: "4",
  dir: "5",
  fifo: "6",
  whiteout: "0",
  opaque: "0",
};

function linkOf(entry: LayerEntry): string {
  return entry.kind === "symlink" || entry.kind === "hardlink" ? (entry.link ?? "") : "";
}

function pushXattrs(records: PaxRecord[], xattrs: ReadonlyMap<string, Uint8Array>): void {
  const names = [...xattrs.keys()].sort();
  for (const name of names) {
    // GNU tar's escape: a key ends at its first "=".
    const key = name.replaceAll("%", "%25").replaceAll("=", "%3D");
    records.push([`SCHILY.xattr.${key}`, xattrs.get(name) as Uint8Array]);
  }
}

function inOctal(value: number, max: number): boolean {
  return value >= 0 && value <= max;
}

function fits(text: string): boolean {
  return text.length <= NAME_BYTES && isPlain(text);
}

function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7e) return false;
  return true;
}

/** Divides a long name at the leftmost slash that leaves at most 100 bytes after it, as ustar allows. */
function splitName(path: string): { readonly prefix: string; readonly name: string } | undefined {
  if (!isPlain(path)) return undefined;
  if (path.length <= NAME_BYTES) return { prefix: "", name: path };
  const slash = path.indexOf("/", path.length - NAME_BYTES - 1);
  if (slash <= 0 || slash > PREFIX_BYTES || slash === path.length - 1) return undefined;
  return { prefix: path.slice(0, slash), name: path.slice(slash + 1) };
}

/** What a reader without PAX sees: the name's end, ASCII only. */
function fallbackName(path: string): string {
  let text = "";
  for (const char of path.slice(-NAME_BYTES)) text += char > "~" ? "_" : char;
  return text;
}

function writeUstar(blocks: Buffer, at: number, fields: UstarFields): void {
  blocks.write(fields.name, at, "latin1");
  writeOctal(blocks, at + 100, 7, fields.mode);
  writeOctal(blocks, at + 108, 7, fields.uid);
  writeOctal(blocks, at + 116, 7, fields.gid);
  writeOctal(blocks, at + 124, 11, fields.size);
  writeOctal(blocks, at + 136, 11, fields.mtime);
  blocks.write(fields.type, at + 156, "latin1");
  blocks.write(fields.link, at + 157, "latin1");
  blocks.write("ustar\x0000", at + 257, "latin1");
  writeOctal(blocks, at + 329, 7, fields.major);
  writeOctal(blocks, at + 337, 7, fields.minor);
  blocks.write(fields.prefix, at + 345, "latin1");
  // All that was not written is zero, so only the written parts are summed: a quarter of the block.
  const sum =
    8 * 0x20 +
    sumOf(blocks, at, fields.name.length) +
    sumOf(blocks, at + 100, 48) +
    sumOf(blocks, at + 156, 1 + fields.link.length) +
    sumOf(blocks, at + 257, 8) +
    sumOf(blocks, at + 329, 16 + fields.prefix.length);
  writeOctal(blocks, at + 148, 6, sum);
  blocks[at + 155] = 0x20;
}

function sumOf(blocks: Buffer, from: number, length: number): number {
  let sum = 0;
  for (let i = from; i < from + length; i++) sum += blocks[i] as number;
  return sum;
}

/** `digits` octal digits; the NUL after them is already there. */
function writeOctal(blocks: Buffer, at: number, digits: number, value: number): void {
  let rest = value;
  for (let i = at + digits - 1; i >= at; i--) {
    blocks[i] = 0x30 + (rest % 8);
    rest = Math.floor(rest / 8);
  }
}
