import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { createIgnore, type Ignore, type IgnoreLevel, parseIgnoreLines } from "../../parser/index.ts";
import { BuildError } from "../error.ts";
import type { PathFilter } from "../files/index.ts";

/** An ignore file as a context uses it. */
export interface IgnoreFile {
  /** Its patterns. */
  readonly ignore: Ignore;
  readonly filter: PathFilter;
  /** For people: which line excludes a path; undefined when none does. */
  readonly explain: (path: string) => string | undefined;
}

/** Patterns in the syntax of a .dockerignore (also those of `--exclude`) as a walk asks them. @throws {DockerfileError} */
export function createFilter(patterns: readonly string[]): PathFilter<IgnoreLevel> {
  return toFilter(createIgnore(patterns));
}

/**
 * Reads an ignore file; undefined when there is none.
 * @throws {BuildError} INPUT_MISSING when it is there but cannot be read; {DockerfileError} for a bad pattern
 */
export async function readIgnoreFile(path: string): Promise<IgnoreFile | undefined> {
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT" || cause.code === "ENOTDIR") return undefined;
    throw new BuildError("INPUT_MISSING", `Cannot read "${path}": ${cause.message}`, { cause });
  });
  if (bytes === undefined) return undefined;
  const patterns = parseIgnoreLines(bytes);
  if (patterns.length === 0) return undefined;
  const ignore = createIgnore(patterns);
  return {
    ignore,
    filter: toFilter(ignore),
    explain: (excluded) => {
      const reason = ignore.reason(excluded);
      if (reason === undefined) return undefined;
      return `${basename(path)} line ${reason.line} (${reason.text}) excludes it`;
    },
  };
}

function toFilter(ignore: Ignore): PathFilter<IgnoreLevel> {
  return {
    hasExceptions: ignore.hasExceptions,
    match: (path, parent) => {
      const visit = (parent ?? ignore.walker()).visit(path);
      return {
        matched: visit.excluded,
        get state() {
          return visit.inside;
        },
        get canSkip() {
          return visit.canSkip;
        },
      };
    },
  };
}
