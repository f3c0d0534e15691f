import { lstatSync, renameSync } from "node:fs";
import { type ByteString, fromByteString, toByteString } from "../../oci/index.ts";
import { listNames, statHost } from "../../store/layers/host-files.ts";
import { fsPath } from "../../sys/index.ts";
import { CliError } from "../error.ts";
import { STAGE_NAME } from "./stage.ts";
import { type StageTree, settleFolder } from "./stage-tree.ts";

export interface PlaceOptions {
  /** Absolute. */
  readonly target: string;
  /** What of `target` a person reads. */
  readonly shown: string;
  /** Files that are there are replaced. Folders never are: what they lack is added. */
  readonly overwrite: boolean;
}

/**
 * Looks whether a file or folder can be put in its place, before anything is fetched for it.
 * @param path relative and clean
 * @throws {CliError} OUTPUT_REFUSED
 */
export function checkPlace(path: string, kind: "file" | "folder", options: PlaceOptions): void {
  const parts = path.split("/").filter((part) => part !== "");
  let at = "" as ByteString;
  for (const [i, part] of parts.entries()) {
    at = (at === "" ? toByteString(part) : `${at}/${toByteString(part)}`) as ByteString;
    const isFolder = kind === "folder" || i < parts.length - 1;
    if (checkOne(at, isFolder, options) === "free") return;
  }
}

/**
 * Moves a finished tree to where it belongs: all of it or, when something is in the way, nothing.
 * @throws {CliError} OUTPUT_REFUSED
 */
export function placeTree(tree: StageTree, options: PlaceOptions): void {
  const target = toByteString(options.target);
  const moves: ByteString[] = [];
  const merged = new Set<ByteString>();
  const plan = (folder: ByteString): void => {
    merged.add(folder);
    const host = folder === "" ? tree.root : `${tree.root}/${folder}`;
    for (const name of listNames(host)) {
      const path = (folder === "" ? name : `${folder}/${name}`) as ByteString;
      const isFolder = statHost(`${tree.root}/${path}`)?.isDirectory() === true;
      if (checkOne(path, isFolder, options) === "folder") plan(path);
      else moves.push(path);
    }
  };
  plan("" as ByteString);
  for (const path of moves) renameSync(tree.hostPath(path), fsPath(`${target}/${path}`));
  for (const folder of tree.folders) {
    // A folder that was there keeps what it has.
    if (!merged.has(folder.path)) settleFolder(fsPath(`${target}/${folder.path}`), folder);
  }
}

/** What is in the way, in words; "folder" where a folder can take what is in one of ours. */
function checkOne(
  path: ByteString,
  isFolder: boolean,
  { target, shown, overwrite }: PlaceOptions,
): "free" | "folder" | "replaced" {
  const named = join(shown, fromByteString(path));
  if (path.startsWith(STAGE_NAME)) throw refused(named, "strake itself uses that name");
  const stats = lstatSync(fsPath(`${toByteString(target)}/${path}`), { throwIfNoEntry: false });
  if (stats === undefined) return "free";
  if (isFolder) {
    if (stats.isDirectory()) return "folder";
    throw refused(
      named,
      stats.isSymbolicLink() ? "it is a symlink, and is not followed" : "a file is in its place",
    );
  }
  if (stats.isDirectory()) throw refused(named, "a folder is in its place");
  if (overwrite) return "replaced";
  throw refused(named, "it is there already", "--overwrite replaces it, -o DIR puts the files elsewhere");
}

function join(shown: string, path: string): string {
  return shown === "." ? path : `${shown.replace(/\/+$/, "")}/${path}`;
}

function refused(shown: string, state: string, hint?: string): CliError {
  return new CliError("OUTPUT_REFUSED", `Cannot write "${shown}": ${state}`, { hint });
}
