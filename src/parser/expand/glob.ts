/**
 * The patterns of `${name#pattern}`, `${name%pattern}` and `${name/pattern/…}`: `*` any run of characters, `?` any
 * one, neither of them a newline; `\` makes `*`, `?` and itself ordinary. No bracket expressions.
 *
 * BuildKit translates them to regular expressions. These functions find what those would, in linear time and without
 * backtracking: every `*` stays within a line, so the line on which each literal part lies is the same in all matches,
 * and the earliest place for every part but the last loses nothing.
 */
export interface Glob {
  /** The parts between the stars; each is code points, undefined standing for `?`. */
  readonly parts: readonly (readonly (string | undefined)[])[];
}

/** Compiles a pattern given as code points. @returns a text saying what is wrong with it, if something is */
export function compileGlob(pattern: readonly string[]): Glob | string {
  const parts: (string | undefined)[][] = [[]];
  const last = (): (string | undefined)[] => parts.at(-1) as (string | undefined)[];
  for (let i = 0; i < pattern.length; i++) {
    let char = pattern[i] as string;
    if (char === "*") parts.push([]);
    else if (char === "?") last().push(undefined);
    else {
      if (char === "\\") {
        const next = pattern[i + 1];
        // A brace or slash had to be escaped for the substitution's sake; the escape is no part of the pattern.
        if (next === "}" || next === "/") continue;
        if (next !== "*" && next !== "?" && next !== "\\") return `invalid escape '\\${next ?? ""}'`;
        char = next;
        i++;
      }
      last().push(char);
    }
  }
  return { parts };
}

/** End of the match that starts exactly at `from`: the longest if `greedy`, else the shortest. */
export function matchGlobAt(
  glob: Glob,
  text: readonly string[],
  from: number,
  greedy: boolean,
): number | undefined {
  const result = match(glob, text, from, greedy);
  return typeof result === "number" ? result : undefined;
}

/** The leftmost match at or after `from`, as long as it can be. */
export function findGlob(
  glob: Glob,
  text: readonly string[],
  from: number,
): { start: number; end: number } | undefined {
  for (let start = from; start <= text.length; start++) {
    const result = match(glob, text, start, true);
    if (typeof result === "number") return { start, end: result };
    // A part was missing on its line; starting later on the same line can't find it either.
    if (result === "missing-part") start = lineEnd(text, start);
  }
  return undefined;
}

function match(
  glob: Glob,
  text: readonly string[],
  from: number,
  greedy: boolean,
): number | "no-start" | "missing-part" {
  const [first, ...rest] = glob.parts;
  if (first === undefined || !fits(first, text, from)) return "no-start";
  let at = from + first.length;
  for (let i = 0; i < rest.length; i++) {
    const part = rest[i] as readonly (string | undefined)[];
    const place = greedy && i === rest.length - 1 ? lastFit(part, text, at) : firstFit(part, text, at);
    if (place === undefined) return "missing-part";
    at = place + part.length;
  }
  return at;
}

function fits(part: readonly (string | undefined)[], text: readonly string[], at: number): boolean {
  if (at + part.length > text.length) return false;
  for (let i = 0; i < part.length; i++) {
    const wanted = part[i];
    const found = text[at + i];
    if (wanted === undefined ? found === "\n" : found !== wanted) return false;
  }
  return true;
}

function firstFit(
  part: readonly (string | undefined)[],
  text: readonly string[],
  from: number,
): number | undefined {
  for (let at = from; at <= text.length; at++) {
    if (fits(part, text, at)) return at;
    if (text[at] === "\n") return undefined;
  }
  return undefined;
}

function lastFit(
  part: readonly (string | undefined)[],
  text: readonly string[],
  from: number,
): number | undefined {
  for (let at = lineEnd(text, from); at >= from; at--) if (fits(part, text, at)) return at;
  return undefined;
}

/** Offset of the newline that ends the line at `from`, or the text's end. */
function lineEnd(text: readonly string[], from: number): number {
  let at = from;
  while (at < text.length && text[at] !== "\n") at++;
  return at;
}
