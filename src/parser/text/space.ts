/**
 * The characters that end trimming and word splitting treat as blank: Unicode's White_Space property.
 * JavaScript's own `\s` and trim() differ (they take U+FEFF and leave U+0085), so neither is used here.
 */
export const UNICODE_SPACE =
  "\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";

/** True for a UTF-16 unit with the White_Space property (all of them are in the basic plane). */
export function isSpace(unit: number): boolean {
  if (unit < 0x80) return unit === 0x20 || (unit >= 0x09 && unit <= 0x0d);
  if (unit < 0x1680) return unit === 0x85 || unit === 0xa0;
  return (
    unit === 0x1680 ||
    (unit >= 0x2000 && unit <= 0x200a) ||
    unit === 0x2028 ||
    unit === 0x2029 ||
    unit === 0x202f ||
    unit === 0x205f ||
    unit === 0x3000
  );
}

/** The blanks that separate an instruction from its arguments, and most arguments from each other. */
export function isAsciiBlank(unit: number): boolean {
  return unit === 0x20 || unit === 0x09 || unit === 0x0b || unit === 0x0c || unit === 0x0d;
}

/** Offset of the first character at or after `from` that is not blank (White_Space). */
export function skipSpace(text: string, from = 0, end = text.length): number {
  let at = from;
  while (at < end && isSpace(text.charCodeAt(at))) at++;
  return at;
}

/** Offset after the last character before `end` that is not blank (White_Space). */
export function trimEndOffset(text: string, from = 0, end = text.length): number {
  let at = end;
  while (at > from && isSpace(text.charCodeAt(at - 1))) at--;
  return at;
}

/** `text` without blank (White_Space) at both ends. */
export function trimSpace(text: string): string {
  const start = skipSpace(text);
  return text.slice(start, trimEndOffset(text, start));
}
