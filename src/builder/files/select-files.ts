import { type ByteString, fromByteString, toByteString } from "../../oci/layer-entry.ts";
import { FilesError } from "./error.ts";
import { hasWildcard, matchBelow, splitWildcard } from "./glob.ts";
import { missingSource, unmatchedWildcard } from "./missing-source.ts";
import { baseName, cleanPath, joinPath, ROOT } from "./path.ts";
import { WorkSlices } from "./pause.ts";
import { resolveInTree } from "./resolve-in-tree.ts";
import type {
  CopySource,
  SelectedEntry,
  SelectedRoot,
  SelectedSource,
  Selection,
  SelectOptions,
} from "./selection.ts";
import { isSent } from "./sent-paths.ts";
import type { FileTree, PathFilter, TreeEntry, TreeNode } from "./types.ts";

type TreeSource = Extract<CopySource, { kind: "tree" }>;

/**
 * Finds out which files a COPY or ADD takes. Nothing is read but folders and links; the destination does not matter.
 *
 * @throws {FilesError} SOURCE_NOT_FOUND, PATTERN_INVALID, TOO_MANY_LINKS, READ_FAILED
 */
export async function selectFiles(
  sources: readonly CopySource[],
  options: SelectOptions,
): Promise<Selection> {
  const exclude = options.exclude.length === 0 ? undefined : options.createFilter(options.exclude);
  const slices = new WorkSlices();
  const selected: SelectedSource[] = [];
  for (const source of sources) {
    if (source.kind === "file") {
      selected.push(source);
      continue;
    }
    const tree: TreeSource = source.kind === "root" ? { ...source, kind: "tree", path: "/" } : source;
    const include = tree.parentsPattern === undefined ? undefined : parentsFilter(tree, options);
    const roots: SelectedRoot[] = [];
    for (const path of findRoots(tree, options)) {
      roots.push(await selectBelow(tree, { path, include, exclude, slices, signal: options.signal }));
    }
    selected.push({ kind: "tree", roots, keepsXattrs: source.tree.keepsXattrs ?? true });
  }
  return { sources: selected };
}

/** The paths a source stands for: itself, or what its wildcards match. */
function findRoots(source: TreeSource, options: SelectOptions): readonly ByteString[] {
  const path = cleanPath(toByteString(source.path));
  if (!hasWildcard(path)) return [path];
  // Wildcards are characters, not bytes.
  const { fixed, pattern } = splitWildcard(cleanPath(source.path));
  const folder = resolveInTree(source.tree, toByteString(fixed), { followLast: true });
  if (source.tree.lstat(folder) === undefined) throw missingSource(source, folder);
  const found = [...matchBelow(source.tree, folder, pattern)];
  // Docker would not have sent the folder: for its builder it is not there.
  if (found.length === 0 && source.sentPaths !== undefined) {
    if (!isSent(source.tree, folder, { ...options, paths: source.sentPaths }))
      throw unmatchedWildcard(source, folder);
  }
  return found;
}

/** What `--parents` takes: the pattern, seen from the pivot. */
function parentsFilter(source: TreeSource, options: SelectOptions): PathFilter {
  const pattern = cleanPath(source.parentsPattern ?? "");
  const whole = cleanPath(toByteString(`${source.path}/${source.parentsPattern}`));
  // With a \ it is a pattern too, though one that matches a single name.
  if (!hasWildcard(source.path) && !hasWildcard(pattern) && !pattern.includes("\\")) {
    const resolved = resolveInTree(source.tree, whole, { followLast: false });
    if (source.tree.lstat(resolved) === undefined) throw missingSource(source, whole);
  }
  return pattern === "" ? MATCHES_NOTHING : options.createFilter([pattern]);
}

const MATCHES_NOTHING: PathFilter = {
  hasExceptions: false,
  match: () => ({ matched: false, state: undefined }),
};

interface WalkOptions {
  readonly path: ByteString;
  readonly include: PathFilter | undefined;
  readonly exclude: PathFilter | undefined;
  readonly slices: WorkSlices;
  readonly signal: AbortSignal | undefined;
}

/** A folder on the way down: its filters' answers, and whether it is among the entries already. */
interface OpenFolder {
  readonly entry: SelectedEntry;
  readonly includeState: unknown;
  readonly excludeState: unknown;
  isTaken: boolean;
}

async function selectBelow(source: TreeSource, options: WalkOptions): Promise<SelectedRoot> {
  const { tree } = source;
  const top = resolveInTree(tree, options.path, { followLast: true });
  const topNode = tree.lstat(top);
  if (topNode === undefined) throw missingSource(source, options.path);
  const entries: SelectedEntry[] = [{ path: ROOT, node: topNode, isImplied: false }];
  const isDir = topNode.kind === "dir";
  if (isDir) await walkFolder(tree, top, entries, options);
  return { name: baseName(options.path), isDir, entries };
}

async function walkFolder(
  tree: FileTree,
  top: ByteString,
  entries: SelectedEntry[],
  options: WalkOptions,
): Promise<void> {
  const { include, exclude, slices } = options;
  const isFiltered = include !== undefined || exclude !== undefined;
  const open: OpenFolder[] = [];

  const enter = async (folder: OpenFolder): Promise<void> => {
    open.push(folder);
    const inside = joinPath(top, folder.entry.path);
    for (const { name, node } of listFolder(tree, inside)) {
      if (slices.isDue()) await slices.pause(options.signal);
      const path = joinPath(folder.entry.path, name);
      if (!isFiltered) {
        const entry: SelectedEntry = { path, node, isImplied: false };
        entries.push(entry);
        if (node.kind === "dir")
          await enter({ entry, includeState: undefined, excludeState: undefined, isTaken: true });
        continue;
      }
      await visit(folder, path, node);
    }
    open.pop();
  };

  const visit = async (folder: OpenFolder, path: ByteString, node: TreeNode): Promise<void> => {
    const text = fromByteString(path);
    const included = include?.match(text, folder.includeState);
    const excluded = exclude?.match(text, folder.excludeState);
    const isTaken = (included?.matched ?? true) && !(excluded?.matched ?? false);
    const entry: SelectedEntry = { path, node, isImplied: !isTaken };
    if (isTaken) {
      for (const parent of open) {
        if (parent.isTaken) continue;
        entries.push(parent.entry);
        parent.isTaken = true;
      }
      entries.push(entry);
    }
    if (node.kind !== "dir") return;
    if (excluded?.matched === true && (excluded.canSkip ?? exclude?.hasExceptions === false)) return;
    await enter({ entry, includeState: included?.state, excludeState: excluded?.state, isTaken });
  };

  const [root] = entries;
  if (root === undefined) throw new FilesError("SOURCE_NOT_FOUND", "Cannot copy: nothing was selected");
  await enter({ entry: root, includeState: undefined, excludeState: undefined, isTaken: true });
}

function listFolder(tree: FileTree, path: ByteString): readonly TreeEntry[] {
  if (tree.list !== undefined) return tree.list(path);
  const entries: TreeEntry[] = [];
  for (const name of tree.readdir(path)) {
    const node = tree.lstat(joinPath(path, name));
    if (node !== undefined) entries.push({ name, node });
  }
  return entries;
}
