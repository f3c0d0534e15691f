import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import {
  type CopyOperation,
  type CopySource,
  type FileTree,
  LocalTree,
  planCopy,
  selectFiles,
  type TreeNode,
} from "../../../src/builder/files/index.ts";
import { createFilter } from "../../../src/builder/sources/ignore-file.ts";
import { type ByteString, fromByteString, toByteString } from "../../../src/oci/index.ts";
import type { SourcedEntry } from "../../../src/store/layers/types.ts";

/** A folder of the test's own, removed when it ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "strake-files-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What a test puts on the disk: `name/` is a folder, `name -> target` a link, everything else a file with that text. */
export type Listing = Readonly<Record<string, string>>;

export function writeFiles(folder: string, listing: Listing): string {
  for (const [name, text] of Object.entries(listing)) {
    const path = join(folder, name);
    if (name.endsWith("/")) {
      mkdirSync(path, { recursive: true });
      continue;
    }
    mkdirSync(dirname(path), { recursive: true });
    if (text.startsWith("-> ")) symlinkSync(text.slice(3), path);
    else writeFileSync(path, text);
  }
  return folder;
}

/** A build context with these files. */
export function contextOf(listing: Listing, ignore: readonly string[] = []): LocalTree {
  const folder = writeFiles(temporaryFolder(), listing);
  return new LocalTree(folder, ignore.length === 0 ? {} : { ignore: createFilter(ignore) });
}

/** A tree without a disk: what a COPY lands on. */
export class MemoryTree implements FileTree {
  readonly #nodes = new Map<string, TreeNode>();

  constructor(nodes: Readonly<Record<string, Partial<TreeNode>>>) {
    this.#nodes.set("", toNode({ kind: "dir" }));
    for (const [path, node] of Object.entries(nodes)) {
      for (let at = path.indexOf("/"); at > 0; at = path.indexOf("/", at + 1)) {
        const parent = path.slice(0, at);
        if (!this.#nodes.has(parent)) this.#nodes.set(parent, toNode({ kind: "dir" }));
      }
      this.#nodes.set(path, toNode(node));
    }
  }

  lstat(path: ByteString): TreeNode | undefined {
    return this.#nodes.get(path);
  }

  readdir(path: ByteString): readonly ByteString[] {
    const prefix = path === "" ? "" : `${path}/`;
    return [...this.#nodes.keys()]
      .filter((name) => name !== "" && name.startsWith(prefix) && !name.slice(prefix.length).includes("/"))
      .map((name) => name.slice(prefix.length) as ByteString)
      .sort();
  }
}

function toNode(node: Partial<TreeNode>): TreeNode {
  const kind = node.kind ?? "file";
  const mode = kind === "dir" ? 0o755 : 0o644;
  return { kind, mode, uid: 0, gid: 0, mtimeSeconds: 1, size: 0, hostPath: "/nowhere", ...node };
}

/** What a copy needs to be told when a test does not care. */
export const PLAN_OPTIONS = { folderMtimeSeconds: 1000 } as const;

export interface CopyExample {
  readonly from: FileTree;
  readonly sources: readonly string[];
  readonly to: string;
  readonly onto?: FileTree;
  readonly exclude?: readonly string[];
  readonly parents?: boolean;
  readonly operation?: Partial<CopyOperation>;
  readonly scratchDir?: string;
  readonly searchPath?: string;
}

/** Selects and plans like the builder; returns the layer's entries. */
export async function copy(example: CopyExample): Promise<readonly SourcedEntry[]> {
  const sources = example.sources.map((path): CopySource => {
    const source = { kind: "tree", tree: example.from, treeName: "the build context" } as const;
    return example.parents === true ? { ...source, path: "/", parentsPattern: path } : { ...source, path };
  });
  const selection = await selectFiles(sources, { exclude: example.exclude ?? [], createFilter });
  const plan = await planCopy({ destination: example.to, unpack: false, ...example.operation }, selection, {
    ...PLAN_OPTIONS,
    scratchDir: example.scratchDir,
    searchPath: example.searchPath,
    ...(example.onto && { destination: example.onto }),
  });
  return plan.entries;
}

/** Entries as lines, sorted: `kind path mode uid:gid`, and where a link points. */
export function show(entries: readonly SourcedEntry[]): readonly string[] {
  return entries
    .map(({ kind, path, mode, uid, gid, link }) => {
      const target = link === undefined ? "" : ` -> ${fromByteString(link)}`;
      const attributes = kind === "whiteout" || kind === "opaque" ? "" : ` ${mode.toString(8)} ${uid}:${gid}`;
      return `${fromByteString(path)} ${kind}${attributes}${target}`;
    })
    .sort();
}

/** Only the paths. */
export function paths(entries: readonly SourcedEntry[]): readonly string[] {
  return entries.map(({ path }) => fromByteString(path)).sort();
}

export const bytes = toByteString;
