import { CliError } from "../error.ts";

/** A refusal of the file system while an artifact's files are written; any other error as it is. */
export function writeFailed(shown: string, cause: unknown): unknown {
  const { code, syscall } = cause as NodeJS.ErrnoException;
  if (syscall === undefined || code === undefined) return cause;
  return new CliError("INPUT_UNUSABLE", `Cannot write "${shown}": ${REASONS[code] ?? code}`, { cause });
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "it is not allowed",
  EROFS: "the file system is read-only",
  ENOSPC: "no space is left on the disk",
  EDQUOT: "the disk quota is used up",
  ENOTDIR: "something on its path is no folder",
  EEXIST: "a file of that name is there",
  EISDIR: "a folder of that name is there",
  ENAMETOOLONG: "a name in it is longer than names may be",
  EXDEV: "a part of it is on another file system",
};
