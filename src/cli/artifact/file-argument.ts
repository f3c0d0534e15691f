import { isAbsolute, join, resolve } from "node:path";
import { usageError } from "../error.ts";

/** A file, folder or stream that is to become a layer of an artifact. */
export interface FileArgument {
  /** As it was written; `-` is standard input. */
  readonly path: string;
  readonly mediaType: string | undefined;
}

/** RFC 6838, section 4.2. */
const MEDIA_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}(?:;.*)?$/i;

/**
 * Reads `FILE[:MEDIATYPE]`. What stands behind the last colon is a media type when it looks like one, unless there is a
 * file of the whole name alone; a colon at the end belongs to no name, as in oras.
 * @param exists whether there is a file or folder of that name
 * @throws {CliError} USAGE
 */
export function parseFileArgument(text: string, exists: (path: string) => boolean): FileArgument {
  const colon = text.lastIndexOf(":");
  const [path, type] = [text.slice(0, colon), text.slice(colon + 1)];
  const isSplit =
    colon >= 0 && (type === "" || (MEDIA_TYPE.test(type) && (exists(path) || path === "-" || !exists(text))));
  const found = isSplit
    ? { path, mediaType: type === "" ? undefined : type }
    : { path: text, mediaType: undefined };
  if (found.path !== "") return found;
  throw usageError(`Cannot read "${text}": it names no file`, "Write FILE or FILE:MEDIATYPE");
}

/** @throws {CliError} USAGE when it is no media type */
export function checkMediaType(text: string, flag: string): string {
  if (MEDIA_TYPE.test(text)) return text;
  throw usageError(
    `Cannot use ${flag} "${text}": it is no media type`,
    "Write one like application/spdx+json or application/vnd.example.report.v1",
  );
}

/**
 * What a puller is to call a file: its path, where that is below the current folder; the last name of it elsewhere, since
 * nobody could pull to a path that leads out of their folder.
 */
export function titleOf(path: string, cwd: string): string {
  const clean = cleanPath(path);
  return isOutside(clean) ? (resolve(cwd, clean).split("/").at(-1) ?? "") : clean;
}

/** A title that a person gives. @throws {CliError} USAGE for one that leads out of a puller's folder */
export function checkTitle(text: string): string {
  const clean = cleanPath(text);
  if (!isOutside(clean)) return clean;
  throw usageError(`Cannot use the title "${text}": no puller would write there`, "Give a relative path");
}

function cleanPath(path: string): string {
  return join(path).replace(/(?!^)\/$/, "");
}

function isOutside(clean: string): boolean {
  return isAbsolute(clean) || clean === ".." || clean.startsWith("../");
}
