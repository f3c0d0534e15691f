import { type ByteString, fromByteString } from "../../oci/layer-entry.ts";
import { FilesError } from "./error.ts";
import { joinPath, ROOT } from "./path.ts";
import type { FileTree } from "./types.ts";

/*
 * Wildcards of COPY and ADD: those of Go's path/filepath.Match, over the whole path below the last part without a
 * wildcard. `*` and `?` stop at a slash, there is no `**`, a class may match a slash.
 * https://pkg.go.dev/path/filepath#Match
 */

/** Has the text an unescaped `*`, `?` or `[`? */
export function hasWildcard(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === "\\") i++;
    else if (char === "*" || char === "?" || char === "[") return true;
  }
  return false;
}

/** The leading parts without a wildcard, and the rest. */
export function splitWildcard(path: string): { readonly fixed: string; readonly pattern: string } {
  const parts = path.split("/");
  const first = parts.findIndex(hasWildcard);
  if (first < 0) return { fixed: path, pattern: "" };
  return { fixed: parts.slice(0, first).join("/"), pattern: parts.slice(first).join("/") };
}

/** @throws {FilesError} PATTERN_INVALID: an open class, an empty one, a `\` at the end */
export function compileGlob(pattern: string): RegExp {
  return new RegExp(`^(?:${translate(pattern, pattern)})$`, "su");
}

/**
 * Paths below `folder` that match, in the order of a walk: a folder before what is inside it, names by their bytes.
 * What is inside a match is not looked at, and no symlink is followed.
 */
export function* matchBelow(tree: FileTree, folder: ByteString, pattern: string): Generator<ByteString> {
  const whole = compileGlob(pattern);
  const parts = pattern.split("/");
  // A class that matches a slash makes the number of parts unknown; then every folder has to be searched.
  const byParts = classMatchesSlash(pattern) ? undefined : parts.map(compileGlob);

  function* walk(relative: ByteString, depth: number): Generator<ByteString> {
    const here = joinPath(folder, relative);
    const partPattern = byParts?.[depth];
    for (const name of tree.readdir(here)) {
      const text = fromByteString(name);
      if (partPattern !== undefined && !partPattern.test(text)) continue;
      const path = joinPath(relative, name);
      if (byParts === undefined ? whole.test(fromByteString(path)) : depth === parts.length - 1) {
        yield joinPath(folder, path);
        continue;
      }
      if (byParts !== undefined && depth >= parts.length - 1) continue;
      if (tree.lstat(joinPath(folder, path))?.kind === "dir") yield* walk(path, depth + 1);
    }
  }
  yield* walk(ROOT, 0);
}

function translate(pattern: string, written: string): string {
  let regex = "";
  let i = 0;
  while (i < pattern.length) {
    const char = String.fromCodePoint(pattern.codePointAt(i) as number);
    i += char.length;
    if (char === "*") regex += "[^/]*";
    else if (char === "?") regex += "[^/]";
    else if (char === "[") {
      const parsed = parseClass(pattern, i, written);
      regex += parsed.regex;
      i = parsed.end;
    } else if (char === "\\") {
      const escaped = pattern.codePointAt(i);
      if (escaped === undefined) throw invalidPattern(written);
      regex += literal(escaped);
      i += escaped > 0xffff ? 2 : 1;
    } else regex += literal(char.codePointAt(0) as number);
  }
  return regex;
}

/** @param start just behind the `[` */
function parseClass(
  pattern: string,
  start: number,
  written: string,
): { readonly regex: string; readonly end: number } {
  let i = start;
  const isNegated = pattern[i] === "^";
  if (isNegated) i++;
  const ranges: string[] = [];

  const takeCharacter = (): number => {
    if (i >= pattern.length || pattern[i] === "-" || pattern[i] === "]") throw invalidPattern(written);
    if (pattern[i] === "\\") i++;
    const code = pattern.codePointAt(i);
    if (code === undefined) throw invalidPattern(written);
    i += code > 0xffff ? 2 : 1;
    return code;
  };

  for (let count = 0; ; count++) {
    if (pattern[i] === "]" && count > 0) break;
    const low = takeCharacter();
    let high = low;
    if (pattern[i] === "-") {
      i++;
      high = takeCharacter();
    }
    // The wrong way round is no error: it matches nothing.
    if (low <= high) ranges.push(`${literal(low)}-${literal(high)}`);
  }
  return { regex: `[${isNegated ? "^" : ""}${ranges.join("")}]`, end: i + 1 };
}

function literal(code: number): string {
  return `\\u{${code.toString(16)}}`;
}

function classMatchesSlash(pattern: string): boolean {
  for (let i = 0; i < pattern.length; i++) {
    if (pattern[i] === "\\") i++;
    else if (pattern[i] === "[") {
      const { regex, end } = parseClass(pattern, i + 1, pattern);
      if (new RegExp(regex, "u").test("/")) return true;
      i = end - 1;
    }
  }
  return false;
}

function invalidPattern(pattern: string): FilesError {
  return new FilesError("PATTERN_INVALID", `Cannot use the wildcard "${pattern}": syntax error in pattern`, {
    hint: 'Put a backslash before a "[" that stands for itself, or write it as "[[]"',
  });
}
