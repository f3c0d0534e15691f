/**
 * Whether a pattern is well-formed by the rules of Go's filepath.Match: brackets closed and not empty, ranges whole, no
 * lone backslash at the end of a part. Ignore files are checked by these rules when they are read, though matching then
 * follows others.
 */
export function isWellFormedPattern(pattern: string): boolean {
  let at = 0;
  while (at < pattern.length) {
    while (pattern.charAt(at) === "*") at++;
    const end = chunkEnd(pattern, at);
    if (!isWellFormedChunk(pattern.slice(at, end))) return false;
    at = end;
  }
  return true;
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

function isWellFormedChunk(chunk: string): boolean {
  let at = 0;
  while (at < chunk.length) {
    const char = chunk.charAt(at);
    if (char === "[") {
      const end = bracketEnd(chunk, at);
      if (end === undefined) return false;
      at = end;
    } else if (char === "\\") {
      if (at + 1 === chunk.length) return false;
      at += 2;
    } else {
      at++;
    }
  }
  return true;
}

/** Offset after the `]`, or undefined if the class is malformed. */
function bracketEnd(chunk: string, start: number): number | undefined {
  let at = start + 1;
  if (chunk.charAt(at) === "^") at++;
  for (let ranges = 0; ; ranges++) {
    if (chunk.charAt(at) === "]" && ranges > 0) return at + 1;
    const low = classCharEnd(chunk, at);
    if (low === undefined) return undefined;
    at = low;
    if (chunk.charAt(at) === "-") {
      const high = classCharEnd(chunk, at + 1);
      if (high === undefined) return undefined;
      at = high;
    }
  }
}

/** Offset after one possibly escaped character of a class; there must be something behind it. */
function classCharEnd(chunk: string, start: number): number | undefined {
  let at = start;
  const char = chunk.charAt(at);
  if (char === "" || char === "-" || char === "]") return undefined;
  if (char === "\\") at++;
  const point = chunk.codePointAt(at);
  if (point === undefined) return undefined;
  at += point > 0xffff ? 2 : 1;
  return at < chunk.length ? at : undefined;
}
