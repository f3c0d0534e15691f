import { type ByteString, fromByteString } from "../../oci/layer-entry.ts";
import { nearest } from "../../util/nearest.ts";
import { FilesError } from "./error.ts";
import { cleanPath, joinPath, parentPath, ROOT } from "./path.ts";
import { resolveInTree } from "./resolve-in-tree.ts";
import type { FileTree } from "./types.ts";

/** Names shown when a folder is described; more would hide the message. */
const MAX_NAMES_SHOWN = 5;

/** Says that a source is not there, and why that may be: outside, excluded, misspelled, a link to nothing. */
export function missingSource(
  source: { readonly tree: FileTree; readonly treeName: string; readonly written?: string | undefined },
  path: ByteString,
): FilesError {
  const clean = cleanPath(path);
  const shown = `/${fromByteString(clean)}`;
  return new FilesError(
    "SOURCE_NOT_FOUND",
    `Cannot copy "${shown}": not found in ${source.treeName} (lstat ${shown}: no such file or directory)`,
    { hint: outsideHint(source) ?? explain(source.tree, clean) },
  );
}

function outsideHint({
  written,
  treeName,
}: {
  readonly written?: string | undefined;
  readonly treeName: string;
}): string | undefined {
  if (written === undefined || !/^\/*(?:\.\/+)*\.\.(?:\/|$)/.test(written)) return undefined;
  return `${written} does not lead out of ${treeName}: only what is in it can be copied, and .. at its root stays there`;
}

/** Says that a wildcard matches nothing in a folder of which the build takes nothing else. */
export function unmatchedWildcard(
  source: { readonly path: string; readonly treeName: string },
  folder: ByteString,
): FilesError {
  const shown = `/${fromByteString(folder)}`;
  return new FilesError(
    "SOURCE_NOT_FOUND",
    `Cannot copy "${source.path}": nothing matches in ${source.treeName} (lstat ${shown}: no such file or directory)`,
    {
      hint: `${shown} is there, but no step of the build takes a file of it, so like Docker the build does not see it`,
    },
  );
}

function explain(tree: FileTree, path: ByteString): string {
  const reason = tree.explainMissing?.(path);
  if (reason !== undefined) return reason;
  const node = tree.lstat(path);
  if (node?.kind === "symlink") {
    const target = resolveInTree(tree, path, { followLast: true });
    return `It is a symbolic link to "${fromByteString(node.link ?? ROOT)}", and /${fromByteString(target)} is not there`;
  }
  let existing = parentPath(path);
  while (existing !== ROOT && tree.lstat(existing) === undefined) existing = parentPath(existing);
  const missing = path.slice(existing === ROOT ? 0 : existing.length + 1).split("/")[0] ?? "";
  const where = existing === ROOT ? "The root" : `/${fromByteString(existing)}`;
  if (existing !== ROOT && tree.lstat(existing)?.kind !== "dir")
    return `${where} is there, but it is no folder`;
  const names = tree.readdir(existing).map(fromByteString);
  const similar = similarName(fromByteString(missing as ByteString), names);
  if (similar !== undefined) return `There is a "${joinPath(fromByteString(existing), similar)}"`;
  if (names.length === 0) return `${where} is an empty folder`;
  const some = names.slice(0, MAX_NAMES_SHOWN).join(", ");
  return `${where} holds ${some}${names.length > MAX_NAMES_SHOWN ? ` and ${names.length - MAX_NAMES_SHOWN} more` : ""}`;
}

/** Two letters are close to any two others. */
function similarName(wanted: string, names: readonly string[]): string | undefined {
  const same = names.find((name) => name.toLowerCase() === wanted.toLowerCase());
  return same ?? (wanted.length < 3 ? undefined : nearest(wanted, names));
}
