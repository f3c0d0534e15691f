import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ByteString } from "../../../src/oci/layer-entry.ts";
import {
  MergedTree,
  type PackedLayer,
  packSnapshot,
  type SourcedEntry,
  type WriteLayerOptions,
  writeLayer,
} from "../../../src/store/layers/index.ts";
import { Xattrs } from "../../../src/sys/index.ts";
import { collect } from "../../support/collect.ts";
import { makeEntry, makeTemporaryFolder, type Spec } from "../../tar/support.ts";

export {
  chunksOf,
  hasProgram,
  makeTar,
  makeTemporaryFolder,
  readAll,
  run,
  type Spec,
} from "../../tar/support.ts";

export const isRoot = process.getuid?.() === 0;

/** An entry whose content is in memory. */
export function makeSourced(spec: Spec): SourcedEntry {
  const entry = makeEntry(spec);
  if (entry.kind !== "file") return entry;
  return { ...entry, content: { kind: "bytes", bytes: Buffer.from(spec.content ?? "") } };
}

export interface Written {
  readonly packed: PackedLayer;
  readonly tar: Buffer;
  readonly snapshot: string;
}

/** Packs to memory and into a snapshot folder of its own. */
export async function write(
  specs: readonly Spec[] | readonly SourcedEntry[],
  options: WriteLayerOptions = {},
): Promise<Written> {
  const snapshot = makeFolder();
  const chunks: Uint8Array[] = [];
  const entries = specs.map((spec) =>
    "mtimeSeconds" in spec && "size" in spec ? (spec as SourcedEntry) : makeSourced(spec as Spec),
  );
  const packed = await writeLayer(
    entries,
    { snapshotDir: snapshot, onTarChunk: (chunk) => void chunks.push(chunk) },
    options,
  );
  return { packed, tar: Buffer.concat(chunks), snapshot };
}

/** An empty folder with the attributes that a store's snapshot folders begin with. */
export function makeFolder(): string {
  const folder = join(makeTemporaryFolder(), "layer");
  mkdirSync(folder, { mode: 0o755 });
  return folder;
}

export function repack(snapshot: string): Promise<Buffer> {
  return collect(packSnapshot(snapshot));
}

/** One line for each file of a folder, with everything about it that a layer keeps; marks of overlay included. */
export function describeFolder(folder: string): readonly string[] {
  const xattrs = new Xattrs();
  const lines: string[] = [];
  const inodes = new Map<number, string>();
  const visit = (path: string): void => {
    const bytes = Buffer.from(`${folder}/${path}`, "latin1");
    const stats = lstatSync(bytes);
    const { mode, uid, gid, rdev, mtimeMs } = stats;
    const isWhiteout = stats.isCharacterDevice() && rdev === 0;
    // The kernel makes one whiteout and links it wherever it needs one.
    const canShare = stats.nlink > 1 && !stats.isDirectory() && !isWhiteout;
    const first = canShare ? (inodes.get(stats.ino) ?? path) : path;
    inodes.set(stats.ino, first);
    const values = [...xattrs.list(`${folder}/${path}`)]
      .sort()
      .map((name) => `${name}=${Buffer.from(xattrs.get(`${folder}/${path}`, name) ?? []).toString("hex")}`);
    const content = stats.isFile()
      ? createHash("sha256").update(readFileSync(bytes)).digest("hex").slice(0, 12)
      : "";
    const facts = isWhiteout ? "whiteout" : `${mode.toString(8)} ${uid}:${gid} ${rdev} ${mtimeMs / 1000}`;
    lines.push(
      `${path} ${facts} ${content} ${first === path ? "" : `= ${first}`} ${values.join(" ")}`.trim(),
    );
    if (!stats.isDirectory()) return;
    for (const name of readdirSync(bytes, "latin1").sort()) visit(path === "" ? name : `${path}/${name}`);
  };
  for (const name of readdirSync(folder, "latin1").sort()) visit(name);
  return lines;
}

export interface Shown {
  readonly path: string;
  readonly kind: string;
  readonly mode: number;
  readonly owner: string;
  readonly content: string;
  readonly device: string;
}

/** Everything that a stack of layers shows, by path. Times of folders are left out: tools disagree on them. */
export function describeTree(
  layers: readonly string[],
): ReadonlyMap<string, Shown & { readonly mtime: number }> {
  const tree = new MergedTree(layers);
  const shown = new Map<string, Shown & { readonly mtime: number }>();
  const visit = (path: ByteString): void => {
    const node = tree.lstat(path);
    if (node === undefined) throw new Error(`${path} is listed but not there`);
    shown.set(path, {
      path,
      kind: node.kind,
      mode: node.kind === "symlink" ? 0o777 : node.mode,
      owner: `${node.uid}:${node.gid}`,
      content:
        node.kind === "file"
          ? readFileSync(Buffer.from(node.hostPath, "latin1")).toString("latin1")
          : (node.link ?? ""),
      device: `${node.major ?? 0}:${node.minor ?? 0}`,
      mtime: node.kind === "dir" ? 0 : node.mtimeSeconds,
    });
    for (const name of tree.readdir(path)) visit((path === "" ? name : `${path}/${name}`) as ByteString);
  };
  for (const name of tree.readdir("" as ByteString)) visit(name);
  return shown;
}
