/**
 * Whether a pattern is refused when it is read. Docker tries each with Go's filepath.Match on the path `.` and refuses it if
 * that finds a fault: a bracket that is empty or not closed, a range without its end, a backslash with nothing behind it.
 * Matching stops at the first part that does not fit, so a fault further back goes unnoticed, as it does here; matching
 * paths later follows other rules.
 */
export function isRefused(pattern: string): boolean {
  let text = ".";
  let at = 0;
  while (at < pattern.length) {
    const hasStar = pattern.charAt(at) === "*";
    while (pattern.charAt(at) === "*") at++;
    const end = chunkEnd(pattern, at);
    const chunk = pattern.slice(at, end);
    at = end;
    if (hasStar && chunk === "") return false;
    const isLast = at === pattern.length;
    const rest = restAfter(chunk, text, { hasStar, isLast });
    if (rest === "fault") return true;
    if (rest === undefined) return false;
    text = rest;
  }
  return false;
}

/** Chunks end at a `*` that is not in brackets. */
function chunkEnd(pattern: string, start: number): number {
  let inBrackets = false;
  let at = start;
  for (; at < pattern.length; at++) {
    const char = pattern.charAt(at);
    if (char === "\\" && at + 1 < pattern.length) at++;
    else if (char === "[") inBrackets = true;
    else if (char === "]") inBrackets = false;
    else if (char === "*" && !inBrackets) break;
  }
  return at;
}

/** What is left of the text behind the chunk, the star in front of it having taken as little as possible. */
function restAfter(
  chunk: string,
  text: string,
  { hasStar, isLast }: { readonly hasStar: boolean; readonly isLast: boolean },
): string | "fault" | undefined {
  for (let skipped = 0; skipped <= (hasStar ? text.length : 0); skipped++) {
    const rest = matchChunk(chunk, text.slice(skipped));
    if (rest === "fault" || (rest !== undefined && (rest === "" || !isLast))) return rest;
  }
  return undefined;
}

/** Matches a chunk at the text's beginning; one that does not fit is still read to its end, for faults in it. */
function matchChunk(chunk: string, text: string): string | "fault" | undefined {
  let rest: string | undefined = text;
  let at = 0;
  while (at < chunk.length) {
    if (rest === "") rest = undefined;
    const next: string | undefined = rest?.charAt(0);
    const char = chunk.charAt(at);
    let fits = true;
    if (char === "[") {
      const bracket = readBracket(chunk, at, next);
      if (bracket === undefined) return "fault";
      fits = bracket.fits;
      at = bracket.end;
    } else if (char === "?") {
      fits = next !== "/";
      at++;
    } else {
      if (char === "\\") at++;
      if (at === chunk.length) return "fault";
      fits = chunk.charAt(at) === next;
      at++;
    }
    rest = fits ? rest?.slice(1) : undefined;
  }
  return rest;
}

/** A class, from its `[`; undefined if it is malformed. */
function readBracket(
  chunk: string,
  start: number,
  subject: string | undefined,
): { readonly fits: boolean; readonly end: number } | undefined {
  let at = start + 1;
  const isNegated = chunk.charAt(at) === "^";
  if (isNegated) at++;
  let isMember = false;
  for (let ranges = 0; ; ranges++) {
    if (chunk.charAt(at) === "]" && ranges > 0) return { fits: isMember !== isNegated, end: at + 1 };
    const low = readClassChar(chunk, at);
    if (low === undefined) return undefined;
    const high = chunk.charAt(low.end) === "-" ? readClassChar(chunk, low.end + 1) : low;
    if (high === undefined) return undefined;
    at = high.end;
    if (subject !== undefined && low.char <= subject && subject <= high.char) isMember = true;
  }
}

/** One possibly escaped character of a class; there must be something behind it. */
function readClassChar(
  chunk: string,
  start: number,
): { readonly char: string; readonly end: number } | undefined {
  let at = start;
  const first = chunk.charAt(at);
  if (first === "" || first === "-" || first === "]") return undefined;
  if (first === "\\") at++;
  const point = chunk.codePointAt(at);
  if (point === undefined) return undefined;
  const char = String.fromCodePoint(point);
  at += char.length;
  return at < chunk.length ? { char, end: at } : undefined;
}
